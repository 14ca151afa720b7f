"""Invitations: sent by admins, mailed with a token, accepted once by their address."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.flows import invitations as flow
from accounts.jobs import send_invitation
from accounts.models import Invitation, Membership, Session, Team, User
from accounts.one_time_tokens import hash_token
from accounts.tests.account_calls import mails_to
from accounts.tests.calls import code_of
from accounts.tests.conftest import ChangeEnv
from accounts.tests.factories import make_invitation, make_member, make_user
from conftest import ApiClient
from crm.api.errors import PermissionDenied
from crm.db.tenancy import team_context
from crm.env import env
from crm.rate import Rate
from crm.tests.job_queue import queued_jobs
from security.events.types import EventType
from security.roles import Role
from security.tests.counters import SetRate
from security.tests.events import stored_events
from tests.plain_sql import fetch_all
from tests.test_isolation_services import actor_of

PATH = "/v1/team/invitations"
ACCEPT = "/v1/auth/accept-invitation"
NEW = "new@example.com"
REFUSED = (400, "VALIDATION_ERROR")
RunJobs = Callable[[], list[str]]


def invite(client: ApiClient, email: str = NEW, role: str = "agent", **extra: object) -> Any:
    return client.post_json(PATH, {"email": email, "role": role, **extra})


def accept(client: ApiClient, token: str) -> Any:
    return client.post_json(ACCEPT, {"token": token})


def mailed_token() -> str:
    """Return the token of the last mail."""
    match = re.search(r"/accept-invitation\?token=([\w-]{43})\n", str(mail.outbox[-1].body))
    assert match
    return match[1]


def rows(team: Team) -> list[Any]:
    with team_context(team.pk):
        return list(Invitation.objects.order_by("created_at"))


# Sending.


def test_an_invitation_is_answered_listed_and_mailed(
    as_alice: ApiClient, alice: Membership, run_jobs: RunJobs
) -> None:
    answer = invite(as_alice, " New@Example.com", "manager")
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert {name: made[name] for name in ("email", "role", "status", "invitedBy", "sentAt")} == {
        "email": NEW,
        "role": "manager",
        "status": "pending",
        "invitedBy": str(alice.user_id),
        "sentAt": None,
    }
    run_jobs()
    (listed,) = as_alice.get(PATH).json()["data"]
    assert listed | {"sentAt": None} == made
    message: Any = mail.outbox[0]
    assert len(mail.outbox) == 1
    assert message.to == [NEW]
    assert message.subject == "You are invited to a team"
    for text in (str(message.body), str(message.alternatives[0][0])):
        assert "Harbor Realty" in text
        assert "Alice Example (alice@example.com)" in text
        assert f"{env.app_base_url}/accept-invitation?token={mailed_token()}" in text


def test_the_token_is_in_the_mail_and_nowhere_else(
    as_alice: ApiClient, alice: Membership, run_jobs: RunJobs
) -> None:
    answer = invite(as_alice)
    assert rows(alice.team)[0].token_hash is None
    run_jobs()
    token, (stored,) = mailed_token(), rows(alice.team)
    assert stored.token_hash == hash_token(token)
    assert "token" not in answer.content.decode().lower()
    with team_context(alice.team_id):
        trail = str(fetch_all("SELECT new_values::text FROM security_auditentry"))
    for place in (trail, str([vars(event) for event in stored_events()])):
        assert token not in place
        assert stored.token_hash not in place
    assert "sent_at" in trail


def test_the_mail_goes_out_once_and_not_to_who_is_uninvited_meanwhile(
    as_alice: ApiClient, alice: Membership, run_jobs: RunJobs
) -> None:
    first = invite(as_alice).json()["data"]["id"]
    run_jobs()
    send_invitation(team_id=str(alice.team_id), invitation_id=first)
    assert len(mail.outbox) == 1
    second = invite(as_alice, "other@example.com").json()["data"]["id"]
    assert as_alice.delete(f"{PATH}/{second}").json()["data"]["status"] == "revoked"
    run_jobs()
    assert len(mail.outbox) == 1


def test_a_mail_server_that_fails_is_asked_again_and_holds_no_lock(
    as_alice: ApiClient, alice: Membership, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(as_alice)
    written: list[Any] = []

    def fail(*_: object, **__: object) -> None:
        written.append(rows(alice.team)[0].token_hash)
        raise OSError("The mail server hangs.")

    with monkeypatch.context() as patch:
        patch.setattr("crm.mail.kinds.deliver_once", fail)
        with pytest.raises(OSError, match="hangs"):
            run_jobs()
    assert written == [None]
    assert rows(alice.team)[0].sent_at is None
    send_invitation(team_id=str(alice.team_id), invitation_id=str(rows(alice.team)[0].pk))
    assert flow.find_invitation(mailed_token(), email=NEW, field="token").sent_at is not None


@pytest.mark.parametrize("ends", ["revoked", "superseded", "expired"])
def test_an_invitation_that_ended_opens_nothing(
    as_alice: ApiClient,
    as_mallory: ApiClient,
    alice: Membership,
    mallory: Membership,
    run_jobs: RunJobs,
    ends: str,
) -> None:
    made = invite(as_alice, "mallory@example.com").json()["data"]
    run_jobs()
    token = mailed_token()
    if ends == "revoked":
        as_alice.delete(f"{PATH}/{made['id']}")
    elif ends == "superseded":
        assert invite(as_alice, "MALLORY@example.com").status_code == 201
    else:
        with team_context(alice.team_id):
            Invitation.objects.update(expires_at=timezone.now())
    assert code_of(accept(as_mallory, token)) == REFUSED
    assert Membership.objects.filter(user=mallory.user).count() == 1
    first = as_alice.get(PATH).json()["data"][-1]
    assert first["status"] == ("expired" if ends == "expired" else "revoked")


@pytest.mark.parametrize(
    ("email", "role", "extra"),
    [
        ("\u0430lice@example.com", "agent", {}),
        ("x@mailinator.com", "agent", {}),
        ("no address", "agent", {}),
        ("a@example.com\nBcc: b@example.com", "agent", {}),
        (NEW, "owner", {}),
        (NEW, "agent", {"teamId": str(uuid.uuid4())}),
        (NEW, "agent", {"invitedBy": str(uuid.uuid4())}),
        (NEW, "agent", {"tokenHash": "0" * 64}),
        (NEW, "agent", {"expiresAt": "2099-01-01T00:00:00Z"}),
    ],
)
def test_a_bad_invitation_is_refused(
    as_alice: ApiClient, alice: Membership, email: str, role: str, extra: dict[str, object]
) -> None:
    assert code_of(invite(as_alice, email, role, **extra)) == REFUSED
    assert rows(alice.team) == []
    assert queued_jobs() == []


def test_nobody_invites_to_a_role_above_their_own(
    bob: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only admins invite today; the rule holds for whoever may tomorrow.
    monkeypatch.setattr("accounts.flows.members.has_right", lambda *_: True)
    with team_context(bob.team_id):
        with pytest.raises(PermissionDenied, match="above"):
            flow.invite(email=NEW, role=Role.MANAGER, by=actor_of(bob))
        assert flow.invite(email=NEW, role=Role.AGENT, by=actor_of(bob)).role == "agent"


@pytest.mark.parametrize("email", ["alice@example.com", "bob@example.com"])
def test_a_member_is_not_invited_also_a_deactivated_one(
    as_alice: ApiClient, bob: Membership, email: str
) -> None:
    Membership.objects.filter(pk=bob.pk).update(is_active=False)
    assert code_of(invite(as_alice, email)) == (409, "CONFLICT")


def test_an_inviter_has_a_proven_address_and_a_fresh_sign_in(
    as_alice: ApiClient, alice: Membership
) -> None:
    User.objects.filter(pk=alice.user_id).update(email_verified_at=None)
    assert code_of(invite(as_alice)) == (403, "EMAIL_NOT_VERIFIED")
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    assert code_of(invite(as_alice)) == (403, "REAUTHENTICATION_REQUIRED")


def test_a_known_address_and_an_unknown_one_get_the_same_answer(
    as_alice: ApiClient, mallory: Membership
) -> None:
    unknown, known = (
        invite(as_alice, email).json()["data"] for email in (NEW, "mallory@example.com")
    )
    volatile = {"id", "email", "createdAt", "expiresAt"}
    assert unknown.keys() == known.keys()
    assert {k: unknown[k] for k in unknown.keys() - volatile} == {
        k: known[k] for k in known.keys() - volatile
    }


def test_a_team_sends_so_many_an_hour(
    as_alice: ApiClient, alice: Membership, mallory: Membership, change_env: ChangeEnv
) -> None:
    change_env(flow, rate_limit_invitations=Rate(2, 3600))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        # Inviting the same address again counts too.
        assert [invite(as_alice).status_code for _ in range(2)] == [201, 201]
        refused = invite(as_alice, "third@example.com")
        assert code_of(refused) == (429, "RATE_LIMIT")
        assert refused.headers["Retry-After"] == "3600"
        invite(as_alice, "third@example.com")
        clock.shift(timedelta(hours=1, seconds=1))
        Session.objects.update(authenticated_at=timezone.now())
    (event,) = stored_events(EventType.RATE_LIMIT_EXCEEDED)
    assert (event.team_id, event.metadata["limit"]) == (alice.team_id, "invitations")


def test_teams_together_mail_an_address_so_often_and_the_rest_waits(
    as_alice: ApiClient, as_mallory: ApiClient, run_jobs: RunJobs, set_rate: SetRate
) -> None:
    set_rate("mails_to", "2/30m")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answers = [invite(as_mallory) for _ in range(4)] + [invite(as_alice)]
        assert [answer.status_code for answer in answers] == [201] * 5
        invite(as_alice, "other@example.com")
        run_jobs()
        # Mallory's last one counts, the others ended before they were mailed.
        assert len(mails_to(NEW)) == 2
        for client in (as_mallory, as_alice):
            invite(client)
            run_jobs()
        assert (len(mails_to(NEW)), len(mails_to("other@example.com"))) == (2, 1)
        assert queued_jobs() == [send_invitation.name] * 2
        clock.shift(timedelta(minutes=30, seconds=1))
        run_jobs()
    assert len(mails_to(NEW)) == 4
    assert flow.find_invitation(mailed_token(), email=NEW, field="token").sent_at


def test_a_mail_that_failed_counts_for_nothing(
    as_alice: ApiClient,
    alice: Membership,
    settings: Any,
    set_rate: SetRate,
    run_jobs: RunJobs,
) -> None:
    set_rate("mails_to", "1/30m")
    invite(as_alice)
    job = {"team_id": str(alice.team_id), "invitation_id": str(rows(alice.team)[0].pk)}
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "nowhere.Backend"
    for _ in range(3):
        with pytest.raises(ImportError):
            send_invitation(**job)
    settings.EMAIL_BACKEND = working
    run_jobs()
    assert len(mails_to(NEW)) == 1


# Accepting.


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
