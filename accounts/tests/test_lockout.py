"""Five failures lock an address for thirty minutes, whether or not it exists."""

import datetime

import pytest
import time_machine
from axes.models import AccessAttempt
from django.utils import timezone

from accounts.guards.password_check import unlock_account
from accounts.models import Membership, User
from accounts.tests.calls import (
    WRONG_PASSWORD,
    code_of,
    fail_to_sign_in,
    me,
    refresh,
    sign_in,
    token_of,
)
from accounts.tests.factories import PASSWORD
from conftest import ApiClient

MINUTE = datetime.timedelta(minutes=1)
LOCKED = (423, "ACCOUNT_LOCKED")


def remaining(client: ApiClient, email: str = "alice@example.com") -> int:
    answer = fail_to_sign_in(client, email)
    attempts: int = answer.json()["error"]["details"]["attemptsRemaining"]
    return attempts


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
def test_attempts_count_down_and_then_the_address_is_locked(
    alice: Membership, as_stranger: ApiClient, email: str
) -> None:
    assert [remaining(as_stranger, email) for _ in range(5)] == [4, 3, 2, 1, 0]
    answer = fail_to_sign_in(as_stranger, email)
    assert code_of(answer) == LOCKED
    assert 1790 <= int(answer["Retry-After"]) <= 1801


@pytest.mark.parametrize("email", ["inactive@example.com", "passwordless@example.com"])
def test_accounts_that_nobody_can_use_are_locked_alike(
    db: None, as_stranger: ApiClient, email: str
) -> None:
    User.objects.create_user("passwordless@example.com")
    User.objects.create_user("inactive@example.com", is_active=False)
    assert [remaining(as_stranger, email) for _ in range(5)] == [4, 3, 2, 1, 0]
    assert code_of(fail_to_sign_in(as_stranger, email)) == LOCKED


def test_the_right_password_is_refused_while_locked(
    alice: Membership, as_stranger: ApiClient
) -> None:
    fail_to_sign_in(as_stranger, times=5)
    answer = sign_in(as_stranger)
    assert code_of(answer) == LOCKED
    assert not answer.cookies


@pytest.mark.parametrize(
    "written",
    [
        " alice@example.com ",
        "ALICE@EXAMPLE.COM",
        " Alice@Example.Com",
        "\uff41\uff4c\uff49\uff43\uff45@example.com",
        "alice\uff20example\uff0ecom",
    ],
)
def test_other_spellings_count_as_the_same_address(
    alice: Membership, as_stranger: ApiClient, written: str
) -> None:
    fail_to_sign_in(as_stranger, written, times=2)
    fail_to_sign_in(as_stranger, times=3)
    assert code_of(sign_in(as_stranger, written)) == LOCKED
    assert code_of(sign_in(as_stranger)) == LOCKED


def test_other_browsers_and_addresses_count_as_the_same_account(alice: Membership) -> None:
    for number in range(5):
        client = ApiClient()
        client.defaults["REMOTE_ADDR"] = f"203.0.113.{number}"
        sign_in(client, password=WRONG_PASSWORD, headers={"User-Agent": f"Browser/{number}"})
    assert code_of(sign_in(ApiClient())) == LOCKED


def test_lock_ends_after_thirty_minutes(alice: Membership, as_stranger: ApiClient) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        fail_to_sign_in(as_stranger, times=5)
        clock.shift(30 * MINUTE - datetime.timedelta(seconds=1))
        answer = sign_in(as_stranger)
        assert (answer.status_code, answer["Retry-After"]) == (423, "2")
        clock.shift(int(answer["Retry-After"]))
        assert sign_in(as_stranger).status_code == 200


def test_failures_are_forgotten_with_the_lock(alice: Membership, as_stranger: ApiClient) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        fail_to_sign_in(as_stranger, times=5)
        clock.shift(31 * MINUTE)
        assert remaining(as_stranger) == 4


def test_attempts_during_the_lock_do_not_extend_it(
    alice: Membership, as_stranger: ApiClient
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        fail_to_sign_in(as_stranger, times=5)
        clock.shift(29 * MINUTE)
        assert code_of(fail_to_sign_in(as_stranger, times=5)) == LOCKED
        clock.shift(2 * MINUTE)
        assert sign_in(as_stranger).status_code == 200


def test_lock_lasts_thirty_minutes_from_the_last_failure_in_whatever_browser(
    alice: Membership,
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for number in range(5):
            headers = {"User-Agent": f"Browser/{number}"}
            sign_in(ApiClient(), password=WRONG_PASSWORD, headers=headers)
            clock.shift(6 * MINUTE)
        clock.shift(23 * MINUTE)
        answer = sign_in(ApiClient())
        assert (code_of(answer), answer["Retry-After"]) == (LOCKED, "61")
        clock.shift(61)
        assert sign_in(ApiClient()).status_code == 200


def test_live_session_outlasts_the_lock_of_its_account(alice: Membership) -> None:
    browser = ApiClient()
    token = token_of(sign_in(browser))
    fail_to_sign_in(ApiClient(), times=6)
    assert me(token).status_code == 200
    assert refresh(browser).status_code == 200


def test_right_password_before_the_fifth_failure_forgets_them(
    alice: Membership, as_stranger: ApiClient
) -> None:
    fail_to_sign_in(as_stranger, times=4)
    assert sign_in(as_stranger).status_code == 200
    assert remaining(as_stranger) == 4
    assert AccessAttempt.objects.count() == 1


def test_lock_holds_for_one_address_only(
    alice: Membership, bob: Membership, as_stranger: ApiClient
) -> None:
    fail_to_sign_in(as_stranger, times=5)
    assert sign_in(as_stranger, "bob@example.com").status_code == 200


def test_unlocked_account_opens_at_once(alice: Membership, as_stranger: ApiClient) -> None:
    fail_to_sign_in(as_stranger, times=5)
    assert unlock_account(" Alice@Example.com ")
    assert sign_in(as_stranger).status_code == 200


def test_failures_hold_no_password(alice: Membership, as_stranger: ApiClient) -> None:
    fail_to_sign_in(as_stranger)
    attempt = AccessAttempt.objects.values().get()
    assert WRONG_PASSWORD not in str(attempt)
    assert attempt["ip_address"] == "127.0.0.1"


def test_password_typed_as_the_address_is_counted_and_not_stored(
    as_stranger: ApiClient, db: None
) -> None:
    fail_to_sign_in(as_stranger, PASSWORD, times=5)
    assert code_of(fail_to_sign_in(as_stranger, f" {PASSWORD.upper()}")) == LOCKED
    attempt = AccessAttempt.objects.values().get()
    assert PASSWORD.lower() not in str(attempt).lower()
    assert unlock_account(attempt["username"])
    assert code_of(fail_to_sign_in(as_stranger, PASSWORD))[0] == 401


@pytest.mark.parametrize("letter", ["\ufdfa", "\u00df", "\U0001f468", "x"])
def test_address_that_grows_when_normalised_is_counted(
    as_stranger: ApiClient, db: None, letter: str
) -> None:
    email = letter * 240 + "@example.com"
    assert [remaining(as_stranger, email) for _ in range(5)] == [4, 3, 2, 1, 0]
    assert code_of(fail_to_sign_in(as_stranger, email)) == LOCKED
