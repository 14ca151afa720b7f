"""Whose an address is: proved by a mailed link, changed with a fresh sign-in, never disposable."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.mailbox.one_time_tokens import issue
from accounts.models import Membership, Session, TokenPurpose, User
from accounts.sign_in import account_state
from accounts.tests.account_calls import (
    mailed_token,
    mails_to,
    post,
    reset,
    reset_token,
    verify,
)
from accounts.tests.calls import WRONG_PASSWORD, code_of, sign_in
from accounts.tests.conftest import ChangeEnv
from accounts.tests.factories import access_token, make_member, make_user
from conftest import ApiClient
from crm.env import env
from security.events.types import EventType
from security.tests.counters import SetRate
from security.tests.events import stored_events
from staff.tests.admin_calls import initial_of, page

RunJobs = Callable[[], list[str]]
REFUSED = (400, "VALIDATION_ERROR")
ACCEPTED = {"success": True, "data": {"accepted": True}}
NEW = "alice@new-harbor.net"


@pytest.fixture
def newcomer(alice: Membership) -> User:
    """Alice, before she proved her address."""
    User.objects.filter(pk=alice.user_id).update(email_verified_at=None)
    return User.objects.get(pk=alice.user_id)


def resend(email: str = "alice@example.com") -> Any:
    return post("resend-verification", {"email": email}).json()


def ask_for(client: ApiClient, email: object = NEW) -> Any:
    return post("email/change", {"newEmail": email}, client)


def test_nobody_signs_in_before_the_address_is_proved(newcomer: User, run_jobs: RunJobs) -> None:
    assert env.require_email_verification
    assert code_of(sign_in(ApiClient())) == (403, "EMAIL_NOT_VERIFIED")
    assert code_of(sign_in(ApiClient(), password=WRONG_PASSWORD))[0] == 401
    assert not Session.objects.exists()
    assert resend() == ACCEPTED
    run_jobs()
    assert verify(mailed_token()).json()["data"] == {"verified": True}
    assert sign_in(ApiClient()).status_code == 200
    (event,) = stored_events(EventType.EMAIL_VERIFIED)
    assert event.user_id == newcomer.pk


def test_where_it_is_not_asked_for_a_newcomer_signs_in(
    newcomer: User, change_env: ChangeEnv
) -> None:
    change_env(account_state, require_email_verification=False)
    assert sign_in(ApiClient()).status_code == 200


def test_a_link_proves_once_for_a_day_and_the_newest_alone(
    newcomer: User, run_jobs: RunJobs
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        resend()
        run_jobs()
        older = mailed_token()
        resend()
        run_jobs()
        assert code_of(verify(older)) == REFUSED
        clock.shift(timedelta(hours=24))
        assert code_of(verify(mailed_token())) == REFUSED
        resend()
        run_jobs()
        assert [verify(mailed_token()).status_code for _ in range(2)] == [200, 400]


def test_only_an_address_that_waits_gets_a_link(newcomer: User, run_jobs: RunJobs) -> None:
    make_user("known@example.com")
    make_user("gone@example.com", email_verified_at=None, is_active=False)
    asked = ["known@example.com", "gone@example.com", "nobody@example.com", "alice@example.com"]
    assert all(resend(email) == ACCEPTED for email in asked)
    assert len(run_jobs()) == 4
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


def test_alice_changes_her_address(
    alice: Membership, as_alice: ApiClient, run_jobs: RunJobs
) -> None:
    old_link = reset_token(alice.user)
    answer = ask_for(as_alice, "Alice@New-Harbor.net")
    assert answer.json() == ACCEPTED
    run_jobs()
    alice.user.refresh_from_db()
    assert alice.user.email == "alice@example.com"
    assert mails_to("alice@example.com") == ["A new email address for your account"]
    assert verify(mailed_token(NEW)).status_code == 200
    run_jobs()
    alice.user.refresh_from_db()
    assert alice.user.email == NEW
    assert mails_to("alice@example.com")[-1] == "Your email address was changed"
    assert sign_in(ApiClient(), NEW).status_code == 200
    assert code_of(reset(old_link)) == REFUSED
    (event,) = stored_events(EventType.EMAIL_CHANGED)
    assert event.metadata == {"email": NEW, "old_email": "alice@example.com"}


def test_another_address_needs_a_fresh_sign_in(as_alice: ApiClient) -> None:
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    assert code_of(ask_for(as_alice)) == (403, "REAUTHENTICATION_REQUIRED")


def test_who_was_thrown_out_meanwhile_gets_no_link(
    alice: Membership, as_alice: ApiClient, run_jobs: RunJobs
) -> None:
    assert ask_for(as_alice).json() == ACCEPTED
    assert reset(reset_token(alice.user)).status_code == 200
    run_jobs()
    assert mails_to(NEW) == []


def test_signing_out_everywhere_ends_a_link_that_is_on_its_way(
    as_alice: ApiClient, run_jobs: RunJobs
) -> None:
    ask_for(as_alice)
    run_jobs()
    token = mailed_token(NEW)
    assert as_alice.post_json("/v1/auth/logout-all").status_code == 200
    assert code_of(verify(token)) == REFUSED


def test_a_taken_address_answers_as_a_free_one_and_gets_no_mail(
    as_alice: ApiClient, bob: Membership, run_jobs: RunJobs
) -> None:
    assert ask_for(as_alice, "bob@example.com").json() == ACCEPTED
    run_jobs()
    assert mails_to("bob@example.com") == []


def test_strangers_together_mail_an_address_so_often(
    alice: Membership, run_jobs: RunJobs, set_rate: SetRate
) -> None:
    set_rate("mails_to", "2/30m")
    for n in range(4):
        member = make_member(alice.team, f"m{n}@example.com")
        client = ApiClient(f"Bearer {access_token(member)}")
        assert ask_for(client, "victim@harbor.example").json() == ACCEPTED
    run_jobs()
    assert len(mails_to("victim@harbor.example")) == 2


def test_an_address_that_was_taken_meanwhile_is_refused(
    alice: Membership, as_alice: ApiClient, run_jobs: RunJobs
) -> None:
    ask_for(as_alice)
    run_jobs()
    make_user(NEW)
    assert code_of(verify(mailed_token(NEW))) == REFUSED
    alice.user.refresh_from_db()
    assert alice.user.email == "alice@example.com"


@pytest.mark.parametrize(
    "email", ["alice@example.com", "ALICE@example.com", "x", "x@mailinator.com", None]
)
def test_some_addresses_are_refused_at_once(as_alice: ApiClient, email: str) -> None:
    answer = ask_for(as_alice, email)
    assert code_of(answer) == REFUSED
    assert answer.json()["error"]["details"].keys() == {"newEmail"}


def test_what_leads_to_an_unproven_address_holds_no_name(newcomer: User, run_jobs: RunJobs) -> None:
    User.objects.update(first_name="Win a prize at evil.example")
    resend()
    run_jobs()
    assert "evil" not in str(mail.outbox[0].message())


def test_an_address_that_staff_change_is_told_and_ends_older_links(
    as_staff: Client, alice: Membership, run_jobs: RunJobs
) -> None:
    elsewhere = issue(
        user_id=alice.user_id, purpose=TokenPurpose.CHANGE_EMAIL, email="thief@example.com"
    )
    address = page("accounts_user_change", alice.user_id)
    form = {**initial_of(as_staff.get(address)), "email": NEW}
    assert as_staff.post(address, form).status_code == 302
    run_jobs()
    alice.user.refresh_from_db()
    assert (alice.user.email, verify(elsewhere).status_code) == (NEW, 400)
    assert mails_to("alice@example.com") == ["Your email address was changed"]


def test_staff_see_whether_an_address_is_proved_and_no_token(
    as_staff: Client, newcomer: User, run_jobs: RunJobs
) -> None:
    resend()
    run_jobs()
    shown = as_staff.get(page("accounts_user_change", newcomer.pk)).content.decode()
    assert "Email verified at" in shown
    assert mailed_token() not in shown
    assert "onetimetoken" not in as_staff.get(page("index")).content.decode().lower()
