"""Another team itself, its sessions and its keys; and staff who are no superusers."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import Membership, User
from conftest import ApiClient
from records.models import TeamModel
from security.api_keys.services import IssuedKey
from staff.tests.admin_browser import admin_browser
from tests.isolation import comparable, every_model
from tests.routes import ABSENT_ID, Route, api_routes
from tests.team_records import everything_stored, make_record


def test_mallory_switches_to_alices_team_as_to_an_absent_one(
    as_mallory: ApiClient, alice: Membership, mallory: Membership
) -> None:
    path, before = "/v1/auth/switch-team", everything_stored()
    foreign = as_mallory.post_json(path, {"teamId": str(alice.team_id)})
    absent = as_mallory.post_json(path, {"teamId": str(ABSENT_ID)})
    assert foreign.status_code == 404
    assert comparable(foreign) == comparable(absent)
    assert everything_stored() == before
    assert as_mallory.post_json(path, {"teamId": str(mallory.team_id)}).status_code == 200


@pytest.mark.parametrize("caller", ["as_mallory", "as_bob"])
def test_alices_session_cannot_be_ended_by_others(
    request: pytest.FixtureRequest, as_alice: ApiClient, caller: str
) -> None:
    session_id = as_alice.get("/v1/auth/sessions").json()["data"][0]["id"]
    client, before = request.getfixturevalue(caller), everything_stored()
    foreign = client.delete(f"/v1/auth/sessions/{session_id}")
    absent = client.delete(f"/v1/auth/sessions/{ABSENT_ID}")
    assert foreign.status_code == 404
    assert comparable(foreign, session_id) == comparable(absent)
    assert everything_stored() == before
    assert session_id not in client.get("/v1/auth/sessions").content.decode()
    assert as_alice.delete(f"/v1/auth/sessions/{session_id}").status_code == 200


KEY_CALLS = [
    (route, method)
    for route in api_routes()
    if route.name.startswith("api-keys") and "<" in route.pattern
    for method in route.methods
]


@pytest.mark.parametrize(
    ("route", "method"), KEY_CALLS, ids=[f"{method}-{route.name}" for route, method in KEY_CALLS]
)
def test_mallory_gets_the_answer_of_an_absent_id_for_alices_key(
    as_mallory: ApiClient, as_alice: ApiClient, key: IssuedKey, route: Route, method: str
) -> None:
    def call(client: ApiClient, key_id: object) -> Any:
        body = "" if method in {"GET", "DELETE"} else "{}"
        return client.generic(method, route.path(key_id), body, content_type="application/json")

    before = everything_stored()
    foreign, absent = call(as_mallory, key.api_key.pk), call(as_mallory, ABSENT_ID)
    assert foreign.status_code == 404
    assert comparable(foreign, key.api_key.pk) == comparable(absent)
    assert everything_stored() == before
    assert call(as_alice, key.api_key.pk).status_code in {200, 201}


def test_mallory_lists_no_key_of_alices(
    as_mallory: ApiClient, key: IssuedKey, alice: Membership
) -> None:
    for query in ({}, {"owner": str(alice.user_id)}, {"usable": "true"}, {"count": "true"}):
        response = as_mallory.get("/v1/api-keys", query)
        assert response.json()["data"] == []
        assert response.json()["pagination"].get("total", 0) == 0


# The admin: only superusers work across teams.


@pytest.fixture
def clerk(db: None) -> User:
    """Staff with every permission that Django knows, and no superuser."""
    clerk = User.objects.create_user("clerk@example.com", is_staff=True)
    clerk.user_permissions.set(Permission.objects.all())
    return clerk


@pytest.mark.parametrize("page", ["changelist", "add", "change", "delete", "history"])
@every_model
def test_staff_who_are_no_superuser_see_no_record(
    clerk: User, staff: User, alice: Membership, model: type[TeamModel], page: str
) -> None:
    assert admin.site.is_registered(model)
    record = make_record(model, alice)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    is_of_record = page in {"change", "delete", "history"}

    def open_page(user: User, record_id: object) -> Any:
        path = reverse(name, args=[record_id] if is_of_record else [])
        return admin_browser(user).get(path, secure=True)

    foreign, absent = open_page(clerk, record.pk), open_page(clerk, ABSENT_ID)
    assert foreign.status_code == 403
    assert foreign.status_code == absent.status_code
    assert "Quill" not in foreign.content.decode()
    assert open_page(staff, record.pk).status_code == 200
