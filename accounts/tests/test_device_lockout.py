"""No stranger locks an owner out: known devices have a counter and a lock of their own."""

import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.devices.cookie import COOKIE_NAME
from accounts.devices.tokens import new_token
from accounts.guards.failure_counter import note_lock, opens_in, standing_of
from accounts.guards.password_check import check_credentials, unlock_account
from accounts.models import Device, Lockout, Membership
from accounts.tests.calls import (
    WRONG_PASSWORD,
    code_of,
    fail_to_sign_in,
    me,
    refresh,
    sign_in,
    token_of,
)
from accounts.tests.conftest import ChangeEnv
from accounts.tests.factories import PASSWORD, make_device, make_user
from conftest import ApiClient
from crm.api.errors import AccountLocked
from security.events import collector
from security.events.types import EventType
from security.tests.counters import SetRate
from security.tests.events import stored_events
from staff.tests.admin_calls import is_signed_in, sign_in_to_admin

MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
LOCKED = (423, "ACCOUNT_LOCKED")


@pytest.fixture
def browser(alice: Membership) -> ApiClient:
    """Alice's browser, in which she signed in before."""
    client = ApiClient()
    assert sign_in(client).status_code == 200
    return client


def lock(email: str = "alice@example.com") -> None:
    """Send wrong passwords as strangers, each from a network of their own."""
    for number in range(6):
        stranger = ApiClient()
        stranger.defaults["REMOTE_ADDR"] = f"203.0.113.{number}"
        answer = sign_in(stranger, email, WRONG_PASSWORD)
    assert code_of(answer) == LOCKED


def fail_without_http(email: str, times: int) -> None:
    """Do what the API does with wrong passwords, each from a network of its own."""
    for number in range(times):
        request = RequestFactory().post("/v1/auth/login")
        request.META["REMOTE_ADDR"] = f"198.51.{number // 250}.{number % 250}"
        request.client_ip = request.META["REMOTE_ADDR"]  # type: ignore[attr-defined]
        with pytest.raises(AccountLocked):
            check_credentials(request=request, email=email, password="x" * 15, tokens=())


def minutes_locked(email: str = "alice@example.com") -> int:
    """Return how long a stranger has to wait."""
    return round(int(sign_in(ApiClient(), email)["Retry-After"]) / 60)


def test_a_thousand_failures_of_strangers_keep_nobody_out_of_a_known_device(
    browser: ApiClient, change_env: ChangeEnv
) -> None:
    token = token_of(sign_in(browser))
    lock()
    change_env(collector, enable_security_event_logging=False)
    fail_without_http("alice@example.com", 994)
    assert me(token).status_code == 200
    assert refresh(browser).status_code == 200
    assert sign_in(browser).status_code == 200
    assert code_of(sign_in(ApiClient())) == LOCKED


def test_a_known_device_counts_for_itself(browser: ApiClient) -> None:
    answers = [fail_to_sign_in(browser) for _ in range(5)]
    remaining = [answer.json()["error"]["details"]["attemptsRemaining"] for answer in answers]
    assert remaining == [4, 3, 2, 1, 0]
    locked = sign_in(browser)
    assert code_of(locked) == LOCKED
    assert 1790 <= int(locked["Retry-After"]) <= 1801
    assert sign_in(ApiClient()).status_code == 200
    (event,) = stored_events(EventType.ACCOUNT_LOCKED)
    assert event.metadata["device_id"] == str(Device.objects.earliest("first_seen_at").pk)


def test_the_owner_on_a_known_device_gives_strangers_no_new_guesses(browser: ApiClient) -> None:
    fail_to_sign_in(ApiClient(), times=4)
    fail_to_sign_in(browser, times=4)
    assert sign_in(browser).status_code == 200
    assert fail_to_sign_in(browser).json()["error"]["details"] == {"attemptsRemaining": 4}
    assert fail_to_sign_in(ApiClient()).json()["error"]["details"] == {"attemptsRemaining": 0}
    assert code_of(sign_in(ApiClient())) == LOCKED


def test_a_revoked_device_is_a_stranger(browser: ApiClient) -> None:
    lock()
    Device.objects.all().revoke()
    assert code_of(sign_in(browser)) == LOCKED


def test_the_device_of_somebody_else_is_a_stranger(bob: Membership, browser: ApiClient) -> None:
    lock("bob@example.com")
    assert code_of(sign_in(browser, "bob@example.com")) == LOCKED
    token = new_token(bob.user_id)
    make_device(bob.user, token)
    browser.cookies[COOKIE_NAME] = f"{browser.cookies[COOKIE_NAME].value}.{token}"
    assert sign_in(browser, "bob@example.com").status_code == 200


def test_an_app_is_known_by_the_token_in_the_body(alice: Membership) -> None:
    app: dict[str, Any] = {"tokenDelivery": "body"}
    token = sign_in(ApiClient(), deviceToken="", **app).json()["data"]["deviceToken"]
    lock()
    assert code_of(sign_in(ApiClient(), deviceToken="made-up", **app)) == LOCKED
    assert sign_in(ApiClient(), deviceToken=token, **app).status_code == 200


def test_strangers_in_the_same_network_keep_nobody_out_of_a_known_device(
    browser: ApiClient, set_rate: SetRate
) -> None:
    set_rate("login", "2/15m")
    for name in ("ann", "ben", "cleo"):
        refused = fail_to_sign_in(ApiClient(), f"{name}@example.com")
    assert code_of(refused) == (429, "AUTH_RATE_LIMIT")
    assert sign_in(browser).status_code == 200


def test_a_live_session_proves_its_owner_while_the_account_is_locked(browser: ApiClient) -> None:
    client = ApiClient(f"Bearer {token_of(sign_in(browser))}")
    lock()
    answer = client.post_json("/v1/auth/reauthenticate", {"password": PASSWORD})
    assert answer.status_code == 200


def test_staff_get_into_the_admin_on_a_known_device_only(
    db: None, password_opens_admin: None
) -> None:
    make_user("staff@example.com", is_staff=True, is_superuser=True)
    known, other = Client(), Client()
    assert sign_in_to_admin(known).status_code == 302
    lock("staff@example.com")
    assert sign_in_to_admin(other).status_code == 423
    assert sign_in_to_admin(known).status_code == 302
    assert is_signed_in(known)
    assert sign_in_to_admin(other).status_code == 423
    assert Device.objects.count() == 1


@pytest.mark.usefixtures("db")
def test_each_lock_within_a_day_lasts_twice_as_long_up_to_four_hours() -> None:
    hours = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for pause in (0, 0, 0, 0, 23, 24):
            clock.shift(pause * HOUR)
            note_lock("nobody@example.com", standing_of("nobody@example.com"))
            hours.append(opens_in("nobody@example.com") / HOUR)
            clock.shift(opens_in("nobody@example.com"))
    assert hours == [0.5, 1, 2, 4, 4, 0.5]


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
def test_the_second_lock_is_longer_for_every_address(alice: Membership, email: str) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        lock(email)
        assert minutes_locked(email) == 30
        clock.shift(31 * MINUTE)
        lock(email)
        assert minutes_locked(email) == 60
        clock.shift(59 * MINUTE)
        assert code_of(sign_in(ApiClient(), email)) == LOCKED


def test_a_right_sign_in_ends_the_growth(alice: Membership) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        lock()
        clock.shift(31 * MINUTE)
        assert sign_in(ApiClient()).status_code == 200
        lock()
        assert minutes_locked() == 30


def test_unlocking_opens_strangers_and_devices_and_ends_the_growth(browser: ApiClient) -> None:
    lock()
    fail_to_sign_in(browser, times=5)
    assert unlock_account("Alice@example.com")
    assert not Lockout.objects.exists()
    assert sign_in(browser).status_code == 200
    assert sign_in(ApiClient()).status_code == 200
    assert not unlock_account("alice@example.com")
