"""Invitations: accepted once, by their address, while their sender has the right."""

import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import Invitation, Membership, Team, User
from accounts.tests.calls import code_of
from accounts.tests.factories import make_invitation, make_member, make_user
from accounts.tests.invitation_calls import (
    NEW,
    PATH,
    REFUSED,
    RunJobs,
    accept,
    invite,
    mailed_token,
    rows,
)
from conftest import ApiClient
from crm.db.tenancy import team_context
from security.access.roles import Role
from security.events.types import EventType
from security.tests.events import stored_events
from tests.plain_sql import fetch_all


def test_a_signed_in_person_joins_with_the_account_they_have(
    as_alice: ApiClient, as_mallory: ApiClient, mallory: Membership, run_jobs: RunJobs
) -> None:
    User.objects.filter(pk=mallory.user_id).update(email_verified_at=None)
    invite(as_alice, "mallory@example.com", "manager")
    run_jobs()
    answer = accept(as_mallory, mailed_token())
    member = Membership.objects.get(user=mallory.user, role="manager")
    team = {"id": str(member.team_id), "name": "Harbor Realty"}
    assert answer.json()["data"] == {"team": team, "role": "manager"}
    assert User.objects.get(pk=mallory.user_id).email_verified_at is not None
    switched = as_mallory.post_json("/v1/auth/switch-team", {"teamId": str(member.team_id)})
    assert switched.json()["data"]["user"]["role"] == "manager"
    assert as_alice.get(PATH, {"status": "accepted"}).json()["data"][0]["acceptedAt"]
    (event,) = stored_events(EventType.INVITATION_ACCEPTED)
    assert (event.user_id, event.team_id) == (mallory.user_id, member.team_id)


def test_the_trail_names_who_accepted(as_mallory: ApiClient, alice: Membership) -> None:
    _, token = make_invitation(alice, "mallory@example.com")
    accept(as_mallory, token)
    with team_context(alice.team_id):
        found = fetch_all(
            "SELECT action, resource_type, actor_kind, actor_label FROM security_auditentry"
            " ORDER BY number DESC LIMIT 2"
        )
    assert found == [
        ("update", "invitations", "user", "mallory@example.com"),
        ("create", "memberships", "user", "mallory@example.com"),
    ]


def test_an_invitation_is_good_once_and_for_its_address_only(
    as_bob: ApiClient, as_mallory: ApiClient, alice: Membership
) -> None:
    host = make_member(Team.objects.create(name="Host"), "host@example.com", Role.ADMIN)
    _, token = make_invitation(host, "mallory@example.com")
    answers = [accept(as_bob, token), accept(as_mallory, token), accept(as_mallory, token)]
    assert [code_of(answer) for answer in answers] == [REFUSED, (200, None), REFUSED]
    assert answers[0].json()["error"]["details"] == answers[2].json()["error"]["details"]
    assert Membership.objects.filter(team=host.team).count() == 2


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "a" * 43, "\u00e4" * 43])
def test_a_made_up_token_opens_nothing(as_bob: ApiClient, alice: Membership, token: str) -> None:
    make_invitation(alice, "bob@example.com", token_hash=None)
    assert code_of(accept(as_bob, token)) == REFUSED


def test_the_stored_hash_is_no_token(as_mallory: ApiClient, alice: Membership) -> None:
    invitation, _ = make_invitation(alice, "mallory@example.com")
    assert code_of(accept(as_mallory, str(invitation.token_hash))) == REFUSED


def test_a_deactivated_member_does_not_come_back_by_an_invitation(
    as_mallory: ApiClient, alice: Membership, mallory: Membership
) -> None:
    _, token = make_invitation(alice, "mallory@example.com", Role.ADMIN)
    Membership.objects.create(team=alice.team, user=mallory.user, is_active=False)
    assert code_of(accept(as_mallory, token)) == (409, "CONFLICT")
    assert not Membership.objects.get(team=alice.team, user=mallory.user).is_active


def dismiss(client: ApiClient, member: Membership) -> None:
    client.delete(f"/v1/team/members/{member.pk}")


def demote(client: ApiClient, member: Membership) -> None:
    client.patch_json(f"/v1/team/members/{member.pk}", {"role": "manager"})


def rest(client: ApiClient, member: Membership) -> None:
    client.patch_json(f"/v1/team/members/{member.pk}", {"isActive": False})


@pytest.mark.parametrize("end", [dismiss, demote, rest])
def test_what_an_admin_sent_ends_with_their_right(
    as_alice: ApiClient, as_mallory: ApiClient, alice: Membership, end: Callable[..., None]
) -> None:
    second = make_member(alice.team, "second@example.com", Role.ADMIN)
    _, token = make_invitation(second, "mallory@example.com")
    _, kept = make_invitation(alice, "other@example.com")
    end(as_alice, second)
    assert [row.revoked_at is None for row in rows(alice.team)] == [False, True]
    # Also when they get it back.
    Membership.objects.filter(pk=second.pk).update(is_active=True, role=Role.ADMIN)
    assert code_of(accept(as_mallory, token)) == REFUSED
    assert kept


@pytest.mark.parametrize("lost", ["account", "membership", "role", "inviter", "team"])
def test_an_inviter_without_the_right_invites_nobody(
    as_mallory: ApiClient, alice: Membership, lost: str
) -> None:
    """Whatever took the right away past the service, such as staff or SQL."""
    _, token = make_invitation(alice, "mallory@example.com")
    if lost == "account":
        User.objects.filter(pk=alice.user_id).update(is_active=False)
    elif lost == "team":
        Team.objects.filter(pk=alice.team_id).update(is_active=False)
    elif lost == "inviter":
        with team_context(alice.team_id):
            Invitation.objects.update(invited_by=make_user("gone@example.com"))
    else:
        changed = {"is_active": False} if lost == "membership" else {"role": Role.MANAGER}
        Membership.objects.filter(pk=alice.pk).update(**changed)
    assert code_of(accept(as_mallory, token)) == REFUSED


# Other teams.


def test_mallory_meets_no_invitation_of_another_team(
    as_mallory: ApiClient, alice: Membership
) -> None:
    invitation, _ = make_invitation(alice, NEW)
    assert as_mallory.get(PATH).json()["data"] == []
    for pk in (invitation.pk, uuid.uuid4()):
        assert code_of(as_mallory.delete(f"{PATH}/{pk}")) == (404, "NOT_FOUND")
    assert rows(alice.team)[0].revoked_at is None


def test_an_accepted_invitation_is_not_revoked_and_a_revoked_one_twice_is_fine(
    as_alice: ApiClient, alice: Membership
) -> None:
    accepted, _ = make_invitation(alice, NEW, accepted_at=timezone.now())
    revoked, _ = make_invitation(alice, NEW)
    assert code_of(as_alice.delete(f"{PATH}/{accepted.pk}")) == (409, "CONFLICT")
    assert [as_alice.delete(f"{PATH}/{revoked.pk}").status_code for _ in range(2)] == [200, 200]
    assert len(stored_events(EventType.INVITATION_REVOKED)) == 1
