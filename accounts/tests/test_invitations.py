"""Invitations: sent by admins, mailed with a token."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.jobs import send_invitation
from accounts.mailbox.one_time_tokens import hash_token
from accounts.models import Invitation, Membership, Session, User
from accounts.team import invitations as flow
from accounts.tests.account_calls import mails_to
from accounts.tests.calls import code_of
from accounts.tests.conftest import ChangeEnv
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
from crm.api.errors import PermissionDenied
from crm.db.tenancy import team_context
from crm.env import env
from crm.env.rate import Rate
from crm.tests.job_queue import queued_jobs
from security.access.roles import Role
from security.events.types import EventType
from security.tests.counters import SetRate
from security.tests.events import stored_events
from tests.plain_sql import fetch_all
from tests.test_isolation_services import actor_of


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
    monkeypatch.setattr("accounts.team.members.has_right", lambda *_: True)
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
