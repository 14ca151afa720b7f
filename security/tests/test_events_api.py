"""`/v1/security/events` for a team's admins, `/v1/auth/events` for one's own."""

from typing import Any

import pytest

from accounts.models import Membership, Session
from accounts.tests.calls import code_of, fail_to_sign_in, sign_in
from accounts.tests.factories import open_session
from conftest import ApiClient
from security.api_keys.services import IssuedKey
from security.events.collector import record_event
from security.events.types import EventType
from staff.tests.admin_calls import run_action

TEAM, OWN = "/v1/security/events", "/v1/auth/events"


def listed(client: ApiClient, path: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = client.get(path, parameters)
    assert answer.status_code == 200, answer.content
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def emails(events: list[dict[str, Any]]) -> list[str]:
    return [event["user"]["email"] for event in events]


@pytest.fixture
def events(alice: Membership, bob: Membership, mallory: Membership) -> None:
    for member in (alice, bob, mallory):
        fail_to_sign_in(ApiClient(), member.user.email)


def test_an_event_has_the_shape_of_the_contract(as_alice: ApiClient) -> None:
    failed = fail_to_sign_in(ApiClient())
    (event,) = listed(as_alice, TEAM)
    user = event.pop("user")
    assert user["email"] == "alice@example.com"
    assert event.pop("createdAt").endswith("Z")
    assert len(event.pop("id")) == 36
    assert event == {
        "eventType": "sign_in.failed",
        "category": "authentication",
        "severity": "medium",
        "success": False,
        "ipAddress": "127.0.0.1",
        "userAgent": "",
        "requestMethod": "POST",
        "requestPath": "/v1/auth/login",
        "requestId": failed.headers["X-Request-ID"],
        "message": "A sign-in failed.",
        "metadata": {"reason": "wrong_credentials", "email": "alice@example.com"},
    }


def test_an_admin_sees_the_events_of_the_own_team_only(
    events: None, as_alice: ApiClient, as_mallory: ApiClient
) -> None:
    assert emails(listed(as_alice, TEAM)) == ["bob@example.com", "alice@example.com"]
    assert emails(listed(as_mallory, TEAM)) == ["mallory@example.com"]


def test_everybody_sees_their_own_events_only(
    events: None, as_alice: ApiClient, as_bob: ApiClient, as_mallory: ApiClient
) -> None:
    assert emails(listed(as_bob, OWN)) == ["bob@example.com"]
    assert emails(listed(as_alice, OWN)) == ["alice@example.com"]
    assert emails(listed(as_mallory, OWN)) == ["mallory@example.com"]


def test_ones_own_events_are_those_of_every_team(
    alice: Membership, mallory: Membership, as_alice: ApiClient
) -> None:
    record_event(EventType.SIGN_IN_SUCCEEDED, user_id=alice.user_id, team_id=mallory.team_id)
    record_event(EventType.SIGN_IN_SUCCEEDED, user_id=alice.user_id)
    assert len(listed(as_alice, OWN)) == 2
    assert listed(as_alice, TEAM) == []


@pytest.mark.parametrize("path", [TEAM, OWN])
def test_a_key_reads_no_events(as_key: ApiClient, path: str) -> None:
    assert code_of(as_key.get(path)) == (403, "PERMISSION_DENIED")


def test_only_admins_read_the_teams_events(as_bob: ApiClient) -> None:
    assert code_of(as_bob.get(TEAM)) == (403, "PERMISSION_DENIED")


def test_an_event_about_nobody_known_has_no_user(alice: Membership, as_alice: ApiClient) -> None:
    record_event(EventType.RATE_LIMIT_EXCEEDED, team_id=alice.team_id)
    assert [event["user"] for event in listed(as_alice, TEAM)] == [None]


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"eventType": "sign_in.failed"}, 2),
        ({"eventType": "token.reused"}, 0),
        ({"category": "authentication"}, 2),
        ({"severity": "critical"}, 0),
        ({"success": "false"}, 2),
        ({"success": "true"}, 0),
        ({"ipAddress": "127.0.0.1"}, 2),
        ({"ipAddress": "203.0.113.9"}, 0),
        ({"createdAfter": "2020-01-01T00:00:00Z"}, 2),
        ({"createdBefore": "2020-01-01T00:00:00Z"}, 0),
    ],
)
def test_events_can_be_narrowed_down(
    events: None, as_alice: ApiClient, parameters: dict[str, str], count: int
) -> None:
    assert len(listed(as_alice, TEAM, **parameters)) == count


def test_events_can_be_narrowed_down_to_a_person(
    events: None, as_alice: ApiClient, bob: Membership
) -> None:
    assert emails(listed(as_alice, TEAM, userId=bob.user_id)) == ["bob@example.com"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"eventType": "nothing"},
        {"severity": "LOW"},
        {"ipAddress": "here"},
        {"userId": "1"},
        {"type": "sign_in.failed"},
        {"ordering": "severity"},
        {"q": "alice"},
    ],
)
@pytest.mark.parametrize("path", [TEAM, OWN])
def test_what_is_no_filter_is_refused(
    as_alice: ApiClient, path: str, parameters: dict[str, str]
) -> None:
    assert code_of(as_alice.get(path, parameters)) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", [TEAM, OWN])
def test_pages_follow_one_another(alice: Membership, as_alice: ApiClient, path: str) -> None:
    for number in range(5):
        record_event(
            EventType.TOKEN_REFRESHED,
            user_id=alice.user_id,
            team_id=alice.team_id,
            number=number,
        )
    found, cursor = [], None
    while True:
        answer = as_alice.get(path, {"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        found += [event["metadata"]["number"] for event in answer["data"]]
        cursor = answer["pagination"]["nextCursor"]
        if cursor is None:
            break
    assert found == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("path", [TEAM, OWN])
def test_where_staff_work_from_is_not_shown(
    alice: Membership, as_alice: ApiClient, as_staff: Any, path: str
) -> None:
    session = open_session(alice)
    run_action(as_staff, "accounts_session", "end_selected", Session.objects.get(pk=session.pk))
    (event,) = listed(as_alice, path)
    assert event["eventType"] == "session.ended_by_staff"
    assert (event["ipAddress"], event["userAgent"], event["requestPath"]) == (None, "", "")
    assert listed(as_alice, path, ipAddress="127.0.0.1") == []


def test_a_refused_key_is_seen_by_its_team(
    as_alice: ApiClient, as_mallory: ApiClient, key: IssuedKey
) -> None:
    ApiClient(f"Bearer {key.written}").get("/v1/api-keys")
    sign_in(ApiClient())
    (event,) = listed(as_alice, TEAM, eventType="permission.denied")
    assert event["user"]["email"] == "alice@example.com"
    assert listed(as_mallory, TEAM) == []
