"""A team's members over HTTP: who may change whom, and what ends with it."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership, Session, User
from accounts.team.members import add_member
from accounts.tests.calls import code_of, me
from accounts.tests.factories import access_token, make_member, make_team, open_session
from conftest import ApiClient
from security.access.roles import Role
from security.api_keys.services import issue_key
from security.events.types import EventType
from security.tests.events import stored_events

PATH = "/v1/team/members"
CONFLICT = (409, "CONFLICT")
REVOKED = (401, "SESSION_REVOKED")


def path_of(member: Membership) -> str:
    return f"{PATH}/{member.pk}"


def change(client: ApiClient, member: Membership, **values: object) -> Any:
    return client.patch_json(path_of(member), values)


def key_client(member: Membership) -> ApiClient:
    issued = issue_key(
        team_id=member.team_id, owner_id=member.user_id, name="K", scopes={"all": ["read"]}
    )
    return ApiClient(f"Bearer {issued.written}")


def event_types() -> list[str]:
    """Return the types of events about members, oldest first."""
    wanted = ("role.", "member.", "api_key.revoked")
    found = [event.event_type for event in stored_events()]
    return [name for name in found if name.startswith(wanted)]


# The list.


def test_members_are_listed_newest_first(as_alice: ApiClient, bob: Membership) -> None:
    open_session(bob, last_seen_at="2026-01-02T03:04:05Z")
    newest, oldest = as_alice.get(PATH).json()["data"]
    assert newest == {
        "id": str(bob.pk),
        "user": {
            "id": str(bob.user_id),
            "email": "bob@example.com",
            "firstName": "Bob",
            "lastName": "Example",
        },
        "role": "agent",
        "status": "active",
        "joinedAt": newest["joinedAt"],
        "lastSeenAt": "2026-01-02T03:04:05Z",
    }
    assert (oldest["role"], oldest["user"]["email"]) == ("admin", "alice@example.com")
    assert as_alice.get(path_of(bob)).json()["data"] == newest


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "BOB"}, ["bob"]),
        ({"role": "admin"}, ["alice"]),
        ({"status": "inactive"}, ["dora", "bob"]),
        ({"status": "active", "limit": "1"}, ["alice"]),
        ({"q": "%"}, []),
    ],
)
def test_members_are_found(
    as_alice: ApiClient, bob: Membership, dora: Membership, query: dict[str, str], names: list[str]
) -> None:
    Membership.objects.filter(pk=bob.pk).update(is_active=False)
    User.objects.filter(pk=dora.user_id).update(is_active=False)
    found = as_alice.get(PATH, query).json()["data"]
    assert [member["user"]["email"].partition("@")[0] for member in found] == names


def test_mallory_meets_no_member_of_another_team(
    as_mallory: ApiClient, alice: Membership, bob: Membership
) -> None:
    assert [m["user"]["email"] for m in as_mallory.get(PATH).json()["data"]] == [
        "mallory@example.com"
    ]
    absent = f"{PATH}/{uuid.uuid4()}"
    for path in (path_of(bob), path_of(alice), absent):
        for answer in (
            as_mallory.get(path),
            as_mallory.patch_json(path, {"role": "data_entry"}),
            as_mallory.delete(path),
        ):
            assert code_of(answer) == (404, "NOT_FOUND")
    assert Membership.objects.filter(team=alice.team, role="agent").count() == 1


# Changes.


def test_a_new_role_counts_with_the_next_call(as_alice: ApiClient, bob: Membership) -> None:
    as_bob, as_bobs_key = ApiClient(f"Bearer {access_token(bob)}"), key_client(bob)
    assert code_of(as_bob.get(PATH)) == (403, "PERMISSION_DENIED")
    answer = change(as_alice, bob, role="manager")
    assert answer.json()["data"]["role"] == "manager"
    assert as_bob.get(PATH).status_code == 200
    assert as_bobs_key.get("/v1/clients").status_code == 200
    (event,) = stored_events(EventType.ROLE_CHANGED)
    assert event.metadata == {"before": "agent", "after": "manager"}
    assert (event.user_id, event.actor_label) == (bob.user_id, "alice@example.com")


def test_a_deactivated_member_loses_sessions_and_keeps_resting_keys(
    as_alice: ApiClient, bob: Membership
) -> None:
    token, as_bobs_key = access_token(bob), key_client(bob)
    assert change(as_alice, bob, isActive=False).json()["data"]["status"] == "inactive"
    assert code_of(me(token)) == REVOKED
    assert code_of(as_bobs_key.get("/v1/clients")) == (401, "INVALID_API_KEY")
    assert change(as_alice, bob, isActive=True).json()["data"]["status"] == "active"
    assert code_of(me(token)) == REVOKED
    assert as_bobs_key.get("/v1/clients").status_code == 200
    assert event_types() == ["member.deactivated", "member.reactivated"]
    assert stored_events(EventType.MEMBER_DEACTIVATED)[0].metadata["sessions_ended"] == 1


def test_a_member_who_comes_back_finds_no_old_session_or_key(
    as_alice: ApiClient, bob: Membership
) -> None:
    token, as_bobs_key = access_token(bob), key_client(bob)
    assert as_alice.delete(path_of(bob)).json()["data"] == {"id": str(bob.pk)}
    # A sign-in that was under way ends after the removal.
    late = open_session(bob)
    again = add_member(team_id=bob.team_id, user_id=bob.user_id, role=Role.AGENT)
    assert code_of(me(token)) == REVOKED
    assert code_of(as_bobs_key.get("/v1/clients")) == (401, "INVALID_API_KEY")
    assert Session.objects.get(pk=late.pk).revoke_reason == "member_removed"
    assert me(access_token(again)).status_code == 200
    assert event_types() == ["api_key.revoked", "member.removed", "member.added"]


def test_other_teams_of_a_removed_member_stay_open(as_alice: ApiClient, bob: Membership) -> None:
    second = add_member(team_id=make_team("Second").pk, user_id=bob.user_id, role=Role.AGENT)
    token, as_other_key = access_token(second), key_client(second)
    as_alice.delete(path_of(bob))
    assert me(token).status_code == 200
    assert as_other_key.get("/v1/clients").status_code == 200


def test_an_old_sign_in_looks_and_changes_nobody(as_alice: ApiClient, bob: Membership) -> None:
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    demanded = (403, "REAUTHENTICATION_REQUIRED")
    assert code_of(change(as_alice, bob, role="manager")) == demanded
    assert code_of(as_alice.delete(path_of(bob))) == demanded
    assert as_alice.get(path_of(bob)).json()["data"]["role"] == "agent"


def test_what_changes_nothing_is_answered_and_not_recorded(
    as_alice: ApiClient, bob: Membership
) -> None:
    for values in ({}, {"role": "agent"}, {"isActive": True}):
        assert change(as_alice, bob, **values).status_code == 200
    assert event_types() == []


@pytest.mark.parametrize(
    "values",
    [
        {"role": "owner"},
        {"role": "Admin"},
        {"role": None},
        {"isActive": "false"},
        {"team": str(uuid.uuid4())},
        {"teamId": str(uuid.uuid4())},
        {"user": {"email": "eve@example.com"}},
        {"status": "inactive"},
        {"joinedAt": "2020-01-01T00:00:00Z"},
        {"id": str(uuid.uuid4()), "role": "admin"},
    ],
)
def test_nothing_else_can_be_written(
    as_alice: ApiClient, bob: Membership, values: dict[str, object]
) -> None:
    assert code_of(change(as_alice, bob, **values)) == (400, "VALIDATION_ERROR")
    assert Membership.objects.get(pk=bob.pk).role == "agent"


# The last admin.


@pytest.mark.parametrize("values", [{"role": "manager"}, {"isActive": False}])
def test_the_last_admin_stays(
    as_alice: ApiClient, alice: Membership, values: dict[str, object]
) -> None:
    idle = make_member(alice.team, "idle@example.com", Role.ADMIN)
    gone = make_member(alice.team, "gone@example.com", Role.ADMIN)
    Membership.objects.filter(pk=idle.pk).update(is_active=False)
    User.objects.filter(pk=gone.user_id).update(is_active=False)
    assert code_of(change(as_alice, alice, **values)) == CONFLICT
    assert code_of(as_alice.delete(path_of(alice))) == CONFLICT
    # Who is no active admin is no last one.
    assert as_alice.delete(path_of(idle)).status_code == 200
    Membership.objects.create(team=alice.team, user=idle.user, role=Role.ADMIN)
    assert change(as_alice, alice, **values).status_code == 200


def test_an_admin_steps_back_when_another_is_there(as_alice: ApiClient, alice: Membership) -> None:
    make_member(alice.team, "second@example.com", Role.ADMIN)
    assert change(as_alice, alice, role="agent").status_code == 200
    assert code_of(change(as_alice, alice, role="admin")) == (403, "PERMISSION_DENIED")


def test_the_last_admin_of_another_team_does_not_count(
    as_alice: ApiClient, alice: Membership, mallory: Membership
) -> None:
    assert code_of(as_alice.delete(path_of(alice))) == CONFLICT
