"""`/v1/api-keys`: issue, list, edit, rotate and revoke."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership
from conftest import ApiClient
from crm.api.errors import Conflict
from security.api_keys.services import IssuedKey, change_key, issue_key
from security.models import ApiKey

PATH = "/v1/api-keys"
BODY = {"name": "Website", "scopes": {"clients": ["read", "write"]}}
SHOWN = {
    "id",
    "name",
    "keyId",
    "lastFour",
    "scopes",
    "allowedIps",
    "owner",
    "createdAt",
    "expiresAt",
    "lastUsedAt",
    "revokedAt",
    "rotatedFrom",
}


def issue(client: ApiClient, **fields: object) -> Any:
    return client.post_json(PATH, BODY | fields)


def path_of(key: IssuedKey) -> str:
    return f"{PATH}/{key.api_key.pk}"


def works(written: str) -> bool:
    return bool(ApiClient(f"Bearer {written}").get("/v1/clients").status_code == 200)


def in_days(days: float) -> datetime:
    return timezone.now() + timedelta(days=days)


def read_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


# Issue.


def test_a_new_key_is_shown_once_and_works(as_alice: ApiClient, alice: Membership) -> None:
    response = issue(as_alice)
    data = response.json()["data"]
    assert response.status_code == 201
    assert data.keys() == SHOWN | {"key"}
    assert data["owner"] == str(alice.user_id)
    assert works(data["key"])
    for later in (as_alice.get(f"{PATH}/{data['id']}"), as_alice.get(PATH)):
        assert data["key"].split("_")[2] not in later.content.decode()
    assert as_alice.get(f"{PATH}/{data['id']}").json()["data"].keys() == SHOWN


def test_a_name_is_one_line(as_alice: ApiClient, key: IssuedKey) -> None:
    name = "A\nKey: no\u202e\u2028x\u200b"
    assert issue(as_alice, name=name).json()["data"]["name"] == "A Key: no x"
    changed = as_alice.patch_json(path_of(key), {"name": name})
    assert changed.json()["data"]["name"] == "A Key: no x"
    assert issue(as_alice, name="\u202e").json()["error"]["details"].keys() == {"name"}


def test_a_key_lives_ninety_days_unless_it_says_otherwise(as_alice: ApiClient) -> None:
    default = read_time(issue(as_alice).json()["data"]["expiresAt"])
    assert abs(default - in_days(90)) < timedelta(minutes=1)
    asked = in_days(7)
    answered = issue(as_alice, expiresAt=asked.isoformat()).json()["data"]["expiresAt"]
    assert read_time(answered) == asked


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"scopes": {"clients": ["fly"]}}, "scopes"),
        ({"scopes": {"api_keys": ["read"]}}, "scopes"),
        ({"scopes": ["clients"]}, "scopes"),
        ({"scopes": {"clients": "read"}}, "scopes.clients"),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "soon"}, "expiresAt"),
        ({"allowedIps": ["203.0.113.1/24"]}, "allowedIps"),
        ({"allowedIps": "203.0.113.0/24"}, "allowedIps"),
        ({"key": "crm_mine"}, "key"),
        ({"secretHash": "0" * 64}, "secretHash"),
        ({"owner": "00000000-0000-7000-8000-000000000000"}, "owner"),
        ({"team": "00000000-0000-7000-8000-000000000000"}, "team"),
        ({"lastUsedAt": None}, "lastUsedAt"),
    ],
)
def test_a_bad_field_is_named_and_no_key_is_made(
    as_alice: ApiClient, fields: dict[str, object], name: str
) -> None:
    response = issue(as_alice, **fields)
    assert response.status_code == 400
    assert list(response.json()["error"]["details"]) == [name]
    assert not ApiKey.objects.exists()


def test_scopes_must_be_named_and_may_be_empty(as_alice: ApiClient) -> None:
    assert as_alice.post_json(PATH, {"name": "None"}).status_code == 400
    data = issue(as_alice, scopes={}).json()["data"]
    assert data["scopes"] == {}
    assert not works(data["key"])


# List.


def test_a_list_shows_every_key_of_the_team_also_ended_ones(
    as_alice: ApiClient, key: IssuedKey
) -> None:
    as_alice.delete(path_of(key))
    assert [row["id"] for row in as_alice.get(PATH).json()["data"]] == [str(key.api_key.pk)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"usable": "true"}, "usable"),
        ({"usable": "false"}, "ended"),
        ({"ordering": "expiresAt", "limit": "1"}, "ended"),
        ({"ordering": "-expiresAt", "limit": "1"}, "usable"),
    ],
)
def test_a_list_is_narrowed_down_and_ordered(
    as_alice: ApiClient, alice: Membership, query: dict[str, str], found: str
) -> None:
    for name in ("usable", "ended"):
        issue_key(team_id=alice.team_id, owner_id=alice.user_id, name=name, scopes={})
    ApiKey.objects.filter(name="ended").update(expires_at=in_days(-1))
    rows = as_alice.get(PATH, query).json()["data"]
    assert [row["name"] for row in rows] == [found]


@pytest.mark.parametrize("query", [{"secretHash": "0"}, {"usable": "1"}, {"q": "x"}])
def test_an_unknown_filter_is_refused(as_alice: ApiClient, query: dict[str, str]) -> None:
    assert as_alice.get(PATH, query).status_code == 400


# Edit.


def test_an_edit_counts_from_the_next_call_on(as_alice: ApiClient, key: IssuedKey) -> None:
    assert works(key.written)
    changed = as_alice.patch_json(path_of(key), {"name": "New", "scopes": {"leads": ["read"]}})
    assert changed.json()["data"]["name"] == "New"
    assert not works(key.written)
    as_alice.patch_json(path_of(key), {"scopes": {"clients": ["read"]}})
    assert works(key.written)
    as_alice.patch_json(path_of(key), {"allowedIps": ["203.0.113.0/24"]})
    assert not works(key.written)
    as_alice.patch_json(path_of(key), {"allowedIps": [], "expiresAt": in_days(1).isoformat()})
    assert works(key.written)


@pytest.mark.parametrize("name", ["keyId", "lastFour", "owner", "revokedAt", "rotatedFrom", "id"])
def test_what_is_not_to_be_edited_is_refused(
    as_alice: ApiClient, key: IssuedKey, name: str
) -> None:
    response = as_alice.patch_json(path_of(key), {name: None})
    assert response.status_code == 400
    assert list(response.json()["error"]["details"]) == [name]


# Revoke.


def test_a_revoked_key_is_ended_for_good(as_alice: ApiClient, key: IssuedKey) -> None:
    first = as_alice.delete(path_of(key)).json()["data"]["revokedAt"]
    assert not works(key.written)
    assert as_alice.delete(path_of(key)).json()["data"]["revokedAt"] == first
    assert as_alice.patch_json(path_of(key), {"name": "Again"}).status_code == 409
    assert as_alice.post_json(f"{path_of(key)}/rotate", {}).status_code == 409


# Rotate.


def rotate(client: ApiClient, key: IssuedKey, body: object = None) -> Any:
    return client.post_json(f"{path_of(key)}/rotate", {} if body is None else body)


def test_both_keys_work_until_the_overlap_ends(as_alice: ApiClient, key: IssuedKey) -> None:
    response = rotate(as_alice, key, {"overlap": "2h"})
    data = response.json()["data"]
    assert response.status_code == 201
    assert data["rotatedFrom"] == str(key.api_key.pk)
    assert (data["name"], data["scopes"]) == ("Website", key.api_key.scopes)
    assert works(key.written)
    assert works(data["key"])
    key.api_key.refresh_from_db()
    assert abs(key.api_key.expires_at - in_days(2 / 24)) < timedelta(minutes=1)


def test_a_rotation_without_overlap_ends_the_old_key_at_once(
    as_alice: ApiClient, key: IssuedKey
) -> None:
    data = rotate(as_alice, key, {"overlap": "0s"}).json()["data"]
    assert not works(key.written)
    assert works(data["key"])


def test_the_overlap_is_a_day_unless_named(as_alice: ApiClient, key: IssuedKey) -> None:
    rotate(as_alice, key)
    key.api_key.refresh_from_db()
    assert abs(key.api_key.expires_at - in_days(1)) < timedelta(minutes=1)


def test_an_overlap_never_lengthens_a_keys_life(as_alice: ApiClient, key: IssuedKey) -> None:
    soon = in_days(1 / 24)
    ApiKey.objects.filter(pk=key.api_key.pk).update(expires_at=soon)
    rotate(as_alice, key, {"overlap": "7d"})
    key.api_key.refresh_from_db()
    assert key.api_key.expires_at == soon


@pytest.mark.parametrize("overlap", ["8d", "-1h", "1w", "", 24, None, "9999999d"])
def test_a_bad_overlap_is_refused_and_nothing_is_rotated(
    as_alice: ApiClient, key: IssuedKey, overlap: object
) -> None:
    assert rotate(as_alice, key, {"overlap": overlap}).status_code == 400
    assert ApiKey.objects.count() == 1


def test_a_key_is_rotated_once(as_alice: ApiClient, key: IssuedKey) -> None:
    assert rotate(as_alice, key).status_code == 201
    second = rotate(as_alice, key)
    assert (second.status_code, second.json()["error"]["code"]) == (409, "CONFLICT")
    assert ApiKey.objects.count() == 2


def test_an_expired_key_is_not_rotated(as_alice: ApiClient, key: IssuedKey) -> None:
    ApiKey.objects.filter(pk=key.api_key.pk).update(expires_at=in_days(-1))
    assert rotate(as_alice, key).status_code == 409


def test_a_rotated_keys_end_cannot_be_put_off(as_alice: ApiClient, key: IssuedKey) -> None:
    rotate(as_alice, key)
    response = as_alice.patch_json(path_of(key), {"expiresAt": in_days(30).isoformat()})
    assert response.status_code == 409
    with pytest.raises(Conflict):
        change_key(api_key=key.api_key, values={"expires_at": in_days(30)})
    assert as_alice.patch_json(path_of(key), {"name": "Old"}).status_code == 200


# A key manages nothing of the kind.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PATH),
        ("POST", PATH),
        ("GET", "{key}"),
        ("PATCH", "{key}"),
        ("DELETE", "{key}"),
        ("POST", "{key}/rotate"),
        ("GET", "/v1/auth/sessions"),
        ("POST", "/v1/auth/logout-all"),
        ("POST", "/v1/auth/switch-team"),
        ("GET", "/v1/auth/me"),
    ],
)
def test_a_key_manages_no_keys_and_no_sessions(
    as_key: ApiClient, key: IssuedKey, method: str, path: str
) -> None:
    response = as_key.generic(
        method, path.format(key=path_of(key)), "{}", content_type="application/json"
    )
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "PERMISSION_DENIED"
    assert works(key.written)
