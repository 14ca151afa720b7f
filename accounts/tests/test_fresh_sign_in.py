"""A fresh sign-in: what needs one, what gives one, and what does not."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership, Session
from accounts.tests.calls import WRONG_PASSWORD, code_of, refresh, sign_in, token_of
from accounts.tests.factories import PASSWORD
from conftest import ApiClient
from crm.env import env
from security.api_keys.services import IssuedKey
from security.events.types import EventType
from security.tests.events import stored_events

REAUTHENTICATE = "/v1/auth/reauthenticate"
NEW_KEY = {"name": "New", "scopes": {"clients": ["read"]}}
DEMANDED = (403, "REAUTHENTICATION_REQUIRED")


def age(*, seconds: int = 300) -> None:
    """Let the sign-ins lie so long ago."""
    Session.objects.update(authenticated_at=timezone.now() - timedelta(seconds=seconds))


def issue(client: ApiClient) -> Any:
    return client.post_json("/v1/api-keys", NEW_KEY)


def test_a_sign_in_is_fresh_for_five_minutes(as_alice: ApiClient) -> None:
    assert env.fresh_sign_in_lifetime == timedelta(minutes=5)
    age(seconds=290)
    assert issue(as_alice).status_code == 201
    age(seconds=301)
    assert code_of(issue(as_alice)) == DEMANDED


def test_an_old_sign_in_reads_and_revokes_keys_and_does_no_more(
    as_alice: ApiClient, key: IssuedKey
) -> None:
    path = f"/v1/api-keys/{key.api_key.pk}"
    age()
    assert code_of(as_alice.patch_json(path, {"name": "Renamed"})) == DEMANDED
    assert code_of(as_alice.post_json(f"{path}/rotate", {})) == DEMANDED
    assert code_of(as_alice.get("/v1/audit-logs/export")) == DEMANDED
    for answer in (as_alice.get(path), as_alice.get("/v1/audit-logs"), as_alice.delete(path)):
        assert answer.status_code == 200


def test_a_role_without_the_right_hears_of_that_first(as_bob: ApiClient) -> None:
    age()
    assert code_of(issue(as_bob)) == (403, "PERMISSION_DENIED")


def test_the_password_makes_this_session_fresh_and_no_other(
    as_alice: ApiClient, client_of: Any, alice: Membership
) -> None:
    other = client_of(alice)
    age()
    answer = as_alice.post_json(REAUTHENTICATE, {"password": PASSWORD})
    assert answer.json()["data"] == {"freshForSeconds": 300}
    assert issue(as_alice).status_code == 201
    assert code_of(issue(other)) == DEMANDED
    (event,) = stored_events(EventType.SESSION_REAUTHENTICATED)
    assert (event.user_id, event.metadata["method"]) == (alice.user_id, "password")


def test_a_wrong_password_counts_and_locks_like_a_failed_sign_in(as_alice: ApiClient) -> None:
    age()
    answers = [as_alice.post_json(REAUTHENTICATE, {"password": WRONG_PASSWORD}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [423]
    assert answers[0].json()["error"]["details"] == {"attemptsRemaining": 4}
    assert code_of(sign_in(ApiClient())) == (423, "ACCOUNT_LOCKED")
    assert code_of(issue(as_alice)) == DEMANDED


def test_a_refresh_renews_nothing_and_a_sign_in_does(alice: Membership) -> None:
    client = ApiClient()
    sign_in(client)
    age()
    refreshed = token_of(refresh(client))
    assert code_of(issue(ApiClient(f"Bearer {refreshed}"))) == DEMANDED
    assert issue(ApiClient(f"Bearer {token_of(sign_in(client))}")).status_code == 201


@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": 1}, {"secret": "x"}])
def test_a_body_without_a_password_is_refused_uncounted(as_alice: ApiClient, body: Any) -> None:
    assert code_of(as_alice.post_json(REAUTHENTICATE, body)) == (400, "VALIDATION_ERROR")
    assert stored_events(EventType.SIGN_IN_FAILED) == []


def test_a_key_is_never_fresh(as_key: ApiClient) -> None:
    assert code_of(issue(as_key)) == (403, "PERMISSION_DENIED")
    assert code_of(as_key.post_json(REAUTHENTICATE, {"password": PASSWORD})) == (
        403,
        "PERMISSION_DENIED",
    )
