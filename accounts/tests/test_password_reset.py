"""A forgotten password: a link by mail, good once, for half an hour (ASVS v5.0.0-6.4.1, 6.4.3)."""

import dataclasses
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts.mailbox.one_time_tokens import issue
from accounts.models import Device, Membership, OneTimeToken, Session, TokenPurpose, User
from accounts.tests.account_calls import (
    NEW_PASSWORD,
    change,
    forget,
    mailed_token,
    mails_to,
    reset,
    reset_token,
)
from accounts.tests.calls import COOKIE, code_of, fail_to_sign_in, me, sign_in
from accounts.tests.factories import PASSWORD, access_token, make_device, make_user
from accounts.tests.factors import App
from conftest import ApiClient
from crm.env import env
from security.api_keys.services import IssuedKey
from security.events.types import EventType
from security.rate_limits.table import LIMITS
from security.tests.counters import SetRate
from security.tests.events import stored_events
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import is_signed_in
from tests.threads import at_once

RunJobs = Callable[[], list[str]]
REFUSED = (400, "VALIDATION_ERROR")
ACCEPTED = {"success": True, "data": {"accepted": True}}


def test_alice_sets_a_new_password_by_the_link(alice: Membership, run_jobs: RunJobs) -> None:
    assert forget(" Alice@Example.com").json() == ACCEPTED
    assert mail.outbox == []
    run_jobs()
    answer = reset(mailed_token())
    assert answer.json()["data"] == {"passwordReset": True}
    assert not answer.cookies
    assert not Session.objects.exists()
    assert code_of(sign_in(ApiClient())) == (401, "INVALID_CREDENTIALS")
    assert sign_in(ApiClient(), password=NEW_PASSWORD).status_code == 200
    run_jobs()
    assert mails_to("alice@example.com") == ["Choose a new password", "Your password was changed"]


def test_the_link_has_the_configured_host(alice: Membership, run_jobs: RunJobs) -> None:
    headers = {"host": "localhost:1", "x-forwarded-host": "evil.example", "origin": "https://e.ex"}
    ApiClient().post_json("/v1/auth/password/forgot", {"email": alice.user.email}, headers=headers)
    run_jobs()
    (message,) = mail.outbox
    links = re.findall(r"https?://[^\s\"<]+", str(message.body))
    assert [link.partition("?")[0] for link in links] == [f"{env.app_base_url}/reset-password"]


def test_neither_queue_nor_table_holds_the_token(alice: Membership, run_jobs: RunJobs) -> None:
    forget()
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs")
        assert cursor.fetchall() == [('{"email": "alice@example.com"}',)]
    assert not OneTimeToken.objects.exists()
    run_jobs()
    assert mailed_token() not in str(OneTimeToken.objects.values())


def test_a_token_resets_once(alice: Membership) -> None:
    token = reset_token(alice.user)
    assert reset(token).status_code == 200
    again = reset(token, "Another-Plum-Song-9")
    assert code_of(again) == REFUSED
    assert again.json()["error"]["details"].keys() == {"token"}
    assert sign_in(ApiClient(), password=NEW_PASSWORD).status_code == 200


def test_the_newest_link_alone_works(alice: Membership) -> None:
    older, newer = reset_token(alice.user), reset_token(alice.user)
    assert code_of(reset(older)) == REFUSED
    assert reset(newer).status_code == 200


def test_a_link_lasts_half_an_hour(alice: Membership) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = reset_token(alice.user)
        clock.shift(timedelta(minutes=30))
        assert code_of(reset(token)) == REFUSED


@pytest.mark.parametrize("purpose", [TokenPurpose.VERIFY_EMAIL, TokenPurpose.CHANGE_EMAIL])
def test_a_token_for_something_else_resets_nothing(
    alice: Membership, purpose: TokenPurpose
) -> None:
    token = issue(user_id=alice.user_id, purpose=purpose, email="alice@example.com")
    for wrong in (token, access_token(alice)[:200], "x"):
        assert code_of(reset(wrong)) == REFUSED


def test_a_link_to_an_old_address_is_dead(alice: Membership) -> None:
    token = reset_token(alice.user)
    User.objects.filter(pk=alice.user_id).update(email="alice@new.example")
    assert code_of(reset(token)) == REFUSED


def test_a_link_of_who_was_deactivated_is_dead(alice: Membership) -> None:
    token = reset_token(alice.user)
    User.objects.filter(pk=alice.user_id).update(is_active=False)
    assert code_of(reset(token)) == REFUSED


def test_a_weak_password_keeps_the_link(alice: Membership) -> None:
    token = reset_token(alice.user)
    weak = reset(token, "short")
    assert code_of(weak) == (400, "WEAK_PASSWORD")
    assert len(weak.json()["error"]["details"]["newPassword"]) > 3
    assert code_of(reset(token, PASSWORD)) == (400, "WEAK_PASSWORD")
    assert reset(token).status_code == 200


def test_a_reset_ends_sessions_and_devices_and_lifts_the_lock(
    alice: Membership, key: IssuedKey
) -> None:
    token, device = access_token(alice), make_device(alice.user)
    fail_to_sign_in(ApiClient(), times=5)
    assert code_of(sign_in(ApiClient())) == (423, "ACCOUNT_LOCKED")
    assert forget().status_code == 200
    reset(reset_token(alice.user))
    assert code_of(me(token)) == (401, "SESSION_REVOKED")
    assert not Device.objects.known().filter(pk=device.pk).exists()
    assert sign_in(ApiClient(), password=NEW_PASSWORD).status_code == 200
    assert ApiClient(f"Bearer {key.written}").get("/v1/clients").status_code == 200


def test_a_reset_ends_admin_sessions(staff: User) -> None:
    browser = admin_browser(staff)
    staff.set_password(PASSWORD)
    staff.save()
    assert reset(reset_token(staff)).status_code == 200
    assert not is_signed_in(browser)


def test_a_second_factor_outlives_a_reset(alice: Membership) -> None:
    App(alice.user)
    assert reset(reset_token(alice.user)).status_code == 200
    answer = sign_in(ApiClient(), password=NEW_PASSWORD)
    assert answer.json()["data"]["mfaRequired"] is True


def test_a_reset_proves_the_address(db: None) -> None:
    user = make_user("new@example.com", email_verified_at=None)
    reset(reset_token(user))
    user.refresh_from_db()
    assert user.email_verified_at is not None


def test_nobody_without_a_password_to_forget_gets_a_mail(
    alice: Membership, run_jobs: RunJobs
) -> None:
    make_user("inactive@example.com", is_active=False)
    User.objects.create_user("passwordless@example.com")
    answers = [forget(f"{name}@example.com") for name in ("inactive", "passwordless", "nobody")]
    assert all(answer.json() == ACCEPTED for answer in [*answers, forget()])
    assert len(run_jobs()) == 4
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


def test_a_dead_mail_server_changes_no_answer(
    alice: Membership, settings: Any, run_jobs: RunJobs
) -> None:
    settings.EMAIL_BACKEND = "nowhere.Backend"
    assert forget().json() == ACCEPTED
    with pytest.raises(ImportError):
        run_jobs()


def test_more_mails_than_enough_are_held_back_without_a_word(
    alice: Membership, run_jobs: RunJobs
) -> None:
    rate = LIMITS["mails_to"].rate
    assert rate is not None
    # As long as a mail is held back, the token of the last one lives.
    assert (rate.count, rate.seconds) == (3, 30 * 60)
    answers = [forget() for _ in range(5)] + [forget("nobody@example.com") for _ in range(5)]
    assert all(answer.json() == ACCEPTED for answer in answers)
    assert not any("Retry-After" in answer.headers for answer in answers)
    assert len(run_jobs()) == 6
    assert len(mail.outbox) == 3
    assert reset(mailed_token()).status_code == 200


def test_one_address_asks_for_so_many_mails(alice: Membership, set_rate: SetRate) -> None:
    set_rate("mails", "2/15m")
    assert [forget(f"{n}@example.com").status_code for n in range(3)] == [200, 200, 429]


def test_one_address_tries_so_many_tokens(alice: Membership, set_rate: SetRate) -> None:
    set_rate("tokens", "2/15m")
    assert [code_of(reset("x")) for _ in range(3)] == [
        REFUSED,
        REFUSED,
        (429, "AUTH_RATE_LIMIT"),
    ]


def test_a_token_owner_tries_so_many_passwords(alice: Membership, set_rate: SetRate) -> None:
    set_rate("new_passwords", "2/15m")
    token = reset_token(alice.user)
    answers = [reset(token, "short") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]


def test_a_thief_who_is_signed_in_uses_up_no_tries_of_a_link(
    alice: Membership, as_alice: ApiClient, set_rate: SetRate
) -> None:
    set_rate("new_passwords", "1/15m")
    assert [change(as_alice, "short").status_code for _ in range(2)] == [400, 429]
    token = reset_token(alice.user)
    elsewhere = ApiClient(f"Bearer {access_token(alice)}")
    assert change(elsewhere, "short").status_code == 400
    assert reset(token).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("forgot", {"email": "no address"}),
        ("forgot", {"email": "alice@example.com", "x": 1}),
        ("forgot", {}),
        ("reset", {"token": "x"}),
        ("reset", {"token": "x" * 201, "newPassword": NEW_PASSWORD}),
        ("reset", {"token": "x", "newPassword": 1}),
    ],
)
def test_a_malformed_call_is_told_apart_before_anything(
    db: None, path: str, body: dict[str, Any]
) -> None:
    assert code_of(ApiClient().post_json(f"/v1/auth/password/{path}", body)) == REFUSED


def test_a_reset_is_recorded_about_its_user(alice: Membership) -> None:
    forget()
    reset(reset_token(alice.user))
    (asked,) = stored_events(EventType.PASSWORD_RESET_REQUESTED)
    (done,) = stored_events(EventType.PASSWORD_RESET)
    assert {asked.user_id, done.user_id} == {alice.user_id}
    assert {asked.team_id, done.team_id} == {alice.team_id}


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_at_once_one_resets(alice: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: dict[str, Any] = {"rate_limit_new_passwords": None, "rate_limit_tokens": None}
    monkeypatch.setattr("security.rate_limits.table.env", dataclasses.replace(env, **rates))
    token = reset_token(alice.user)
    passwords = [f"Sturdy-Plum-Song-{number}" for number in range(16)]
    answers = at_once(16, lambda number: reset(token, passwords[number]).status_code)
    assert sorted(answers) == [200] + [400] * 15
    user = User.objects.get(pk=alice.user_id)
    assert user.check_password(passwords[answers.index(200)])


def test_the_answer_sets_no_cookie(alice: Membership) -> None:
    assert COOKIE not in reset(reset_token(alice.user)).cookies
