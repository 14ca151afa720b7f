"""The admin demands a second factor: asking for it, setting it up inside, taking it away."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Membership, Passkey, Session, TotpDevice, User
from accounts.tests.authenticator import Authenticator
from accounts.tests.calls import sign_in
from accounts.tests.factories import PASSWORD, make_user, open_session
from accounts.tests.factors import App, code_at
from conftest import ApiClient
from security.events.types import EventType
from security.tests.events import stored_events
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import (
    is_signed_in,
    page,
    run_action,
    sign_in_to_admin,
    text_of,
)

CONFIRM, SETUP, FACTORS = page("confirm_identity"), page("factor_setup"), page("factors")
CODE = re.compile(r"<li><code>[a-z2-7]{4}(?:-[a-z2-7]{4}){3}</code></li>")
HERE = page("accounts_user_changelist")


@pytest.fixture
def staff(db: None) -> User:
    return make_user("staff@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def half_way(staff: User) -> Client:
    """A browser in which the password was right."""
    return admin_browser(staff, completed_by=None)


def confirm(browser: Client, code: str, **fields: str) -> Any:
    return browser.post(CONFIRM, {"code": code, **fields})


def age_session(browser: Client, **ago: int) -> Any:
    """Travel on from now, so that the session's last proof lies behind."""
    return time_machine.travel(datetime.now(tz=UTC) + timedelta(**ago))


def test_the_password_opens_nothing_but_the_page_that_asks_for_the_code(staff: User) -> None:
    App(staff)
    browser = Client()
    answer = sign_in_to_admin(browser)
    for address in (answer["Location"], HERE, page("password_change"), FACTORS):
        led = browser.get(address)
        assert led["Location"].startswith(f"{CONFIRM}?next=")
    assert browser.post(HERE, {"action": "deactivate"}).status_code == 302
    shown = text_of(browser.get(CONFIRM))
    assert "six digits" in shown
    assert "accounts_user" not in shown
    assert HERE not in shown
    assert stored_events(EventType.ADMIN_SIGNED_IN) == []


def test_the_code_opens_it_with_a_new_session_key(staff: User) -> None:
    app = App(staff)
    browser = Client()
    sign_in_to_admin(browser)
    before = browser.cookies["__Host-adminSession"].value
    answer = confirm(browser, app.code(), next=HERE)
    assert (answer.status_code, answer["Location"]) == (302, HERE)
    assert browser.cookies["__Host-adminSession"].value != before
    assert is_signed_in(browser)
    (event,) = stored_events(EventType.ADMIN_SIGNED_IN)
    assert event.metadata["method"] == "totp"


def test_wrong_foreign_and_disguised_codes_open_nothing(staff: User, half_way: Client) -> None:
    app = App(staff)
    other = App(make_user("other@example.com", is_staff=True))
    for code in (app.wrong_code(), other.code(), f"+{app.code()}", ""):
        assert confirm(half_way, code).status_code == 200
    assert not is_signed_in(half_way)
    assert confirm(half_way, app.backup_codes()[0]).status_code == 302


def test_the_sixth_wrong_code_gets_a_page_that_says_how_long(staff: User, half_way: Client) -> None:
    app = App(staff)
    for _ in range(5):
        confirm(half_way, app.wrong_code())
    answer = confirm(half_way, app.code())
    assert answer.status_code == 429
    assert "Try again in 5 minutes" in text_of(answer)


def test_strangers_who_guess_do_not_shut_staff_out_of_a_known_browser(staff: User) -> None:
    app, known = App(staff), Client()
    sign_in_to_admin(known)
    confirm(known, app.code(-1))
    half_way = admin_browser(staff, completed_by=None)
    assert [confirm(half_way, app.wrong_code()).status_code for _ in range(6)] == [200] * 5 + [429]
    sign_in_to_admin(known)
    assert confirm(known, app.code()).status_code == 302


def test_the_way_on_stays_on_this_server(staff: User, half_way: Client) -> None:
    app = App(staff)
    answer = confirm(half_way, app.code(), next="https://evil.example/")
    assert answer["Location"] == page("index")


def test_a_session_left_half_way_ends(staff: User, half_way: Client) -> None:
    app = App(staff)
    with age_session(half_way, minutes=16):
        assert confirm(half_way, app.code())["Location"].startswith(page("login"))
    assert half_way.get(CONFIRM)["Location"].startswith(page("login"))


def test_a_superuser_without_a_factor_is_led_to_set_one_up(
    staff: User, run_jobs: Callable[[], list[str]]
) -> None:
    browser = Client()
    sign_in_to_admin(browser)
    assert browser.get(HERE)["Location"].startswith(f"{SETUP}?next=")
    assert browser.get(CONFIRM)["Location"].startswith(SETUP)
    browser.post(SETUP, {"begin": "1"})
    shown = text_of(browser.get(SETUP))
    assert "data:image/svg+xml;base64," in shown
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", shown)
    assert secret is not None
    seed = base64.b32decode(secret[1])
    assert "Wrong code" in text_of(browser.post(SETUP, {"code": code_at(seed, 7)}))
    answer = browser.post(SETUP, {"code": code_at(seed)})
    assert len(CODE.findall(text_of(answer))) == 10
    assert answer.headers["Cache-Control"] == "no-store"
    assert is_signed_in(browser)
    run_jobs()
    assert mail.outbox[-1].to == ["staff@example.com"]


def test_who_takes_long_to_set_one_up_types_the_password_again(staff: User) -> None:
    browser = admin_browser(staff, completed_by=None)
    with age_session(browser, minutes=6):
        assert browser.get(SETUP)["Location"].startswith(CONFIRM)
        assert browser.get(CONFIRM).status_code == 200
        assert browser.post(CONFIRM, {"password": PASSWORD, "next": SETUP})["Location"] == SETUP
        assert browser.get(SETUP).status_code == 200
        assert not is_signed_in(browser)


def test_setting_up_needs_a_fresh_proof_and_no_factor_yet(staff: User, as_staff: Client) -> None:
    with age_session(as_staff, minutes=6):
        assert as_staff.get(SETUP)["Location"].startswith(CONFIRM)
    App(staff)
    assert as_staff.get(SETUP)["Location"] == FACTORS
    half_way = admin_browser(staff, completed_by=None)
    assert half_way.get(SETUP)["Location"].startswith(CONFIRM)
    assert half_way.post(SETUP, {"begin": "1"})["Location"].startswith(CONFIRM)


def test_in_development_a_password_is_enough_for_staff_without_a_factor(
    staff: User, password_opens_admin: None
) -> None:
    browser = Client()
    sign_in_to_admin(browser)
    assert is_signed_in(browser)
    App(staff)
    again = Client()
    sign_in_to_admin(again)
    assert not is_signed_in(again)


def test_removing_the_app_asks_for_proof_and_leads_to_a_new_one(
    staff: User, as_staff: Client
) -> None:
    app, other = App(staff), admin_browser(staff)
    with age_session(as_staff, minutes=6):
        assert as_staff.post(FACTORS, {"disable": "1"})["Location"].startswith(CONFIRM)
        assert confirm(as_staff, app.code()).status_code == 302
        assert as_staff.post(FACTORS, {"disable": "1"}).status_code == 302
        assert as_staff.get(HERE)["Location"].startswith(SETUP)
    assert not TotpDevice.objects.exists()
    assert not is_signed_in(other)


def test_new_backup_codes_are_shown_once(staff: User, as_staff: Client) -> None:
    App(staff)
    shown = text_of(as_staff.post(FACTORS, {"codes": "1"}))
    assert len(CODE.findall(shown)) == 10
    assert not CODE.search(text_of(as_staff.get(FACTORS)))


def test_a_password_proves_again_who_has_no_factor(staff: User, password_opens_admin: None) -> None:
    browser = admin_browser(staff, completed_by="password")
    with age_session(browser, minutes=6):
        assert browser.get(SETUP)["Location"].startswith(CONFIRM)
        assert "Wrong password" in text_of(browser.post(CONFIRM, {"password": "no"}))
        assert browser.post(CONFIRM, {"password": PASSWORD, "next": SETUP})["Location"] == SETUP
        assert browser.get(SETUP).status_code == 200


# What staff do for others.


def reset(browser: Client, user: User) -> Any:
    return run_action(browser, "accounts_user", "reset_second_factor", user)


def test_superusers_take_a_lost_factor_away(
    as_staff: Client, alice: Membership, run_jobs: Callable[[], list[str]]
) -> None:
    App(alice.user).backup_codes()
    open_session(alice)
    reset(as_staff, alice.user)
    assert "accessToken" in sign_in(ApiClient()).json()["data"]
    assert Session.objects.live().count() == 1
    (event,) = stored_events(EventType.MFA_RESET)
    assert (event.user_id, event.actor_kind) == (alice.user_id, "staff")
    run_jobs()
    assert "was removed" in mail.outbox[-1].body


def test_nobody_resets_their_own_factor_or_one_that_is_not_there(
    as_staff: Client, staff: User, alice: Membership
) -> None:
    App(staff)
    reset(as_staff, staff)
    reset(as_staff, alice.user)
    assert TotpDevice.objects.count() == 1
    assert stored_events(EventType.MFA_RESET) == []


def test_staff_without_superusers_rights_reset_nothing(alice: Membership) -> None:
    helper = make_user("helper@example.com", is_staff=True)
    App(alice.user)
    reset(admin_browser(helper), alice.user)
    assert TotpDevice.objects.count() == 1


def test_an_operator_resets_a_factor_on_the_shell(staff: User) -> None:
    App(staff)
    call_command("reset_second_factor", " STAFF@example.com")
    assert not TotpDevice.objects.exists()
    for email in ("staff@example.com", "nobody@example.com"):
        with pytest.raises(CommandError):
            call_command("reset_second_factor", email)


def test_the_list_of_apps_shows_no_secret(staff: User, as_staff: Client) -> None:
    app = App(staff)
    name = "accounts_totpdevice"
    for address in (page(f"{name}_changelist"), page(f"{name}_change", app.device.pk)):
        shown = text_of(as_staff.get(address))
        assert "staff@example.com" in shown
        assert app.device.encrypted_seed not in shown
    assert as_staff.get(page(f"{name}_add")).status_code == 403


# Passkeys.


def proof_of(browser: Client, passkey: Authenticator) -> str:
    """Return what the script of the page would put into the form."""
    return json.dumps(passkey.get(browser.post(page("passkey_proof_options")).json()))


@pytest.fixture
def passkey(as_staff: Client) -> Authenticator:
    """A passkey that the superuser added in the admin."""
    made = Authenticator()
    options = as_staff.post(page("passkey_options")).json()
    body = {"credential": json.dumps(made.create(options)), "name": "Laptop"}
    assert len(CODE.findall(text_of(as_staff.post(FACTORS, body)))) == 10
    return made


def test_a_passkey_finishes_the_sign_in(passkey: Authenticator) -> None:
    browser = Client()
    sign_in_to_admin(browser)
    assert "Use a passkey" in text_of(browser.get(CONFIRM))
    assert confirm(browser, "", credential=proof_of(browser, passkey)).status_code == 302
    assert is_signed_in(browser)


def test_a_passkey_of_somebody_else_or_sent_again_finishes_nothing(
    passkey: Authenticator, staff: User
) -> None:
    browser = admin_browser(staff, completed_by=None)
    lie = Authenticator()
    for sent in (proof_of(browser, lie), "[]", "{", "x" * 30_000):
        assert confirm(browser, "", credential=sent).status_code == 200
    assert not is_signed_in(browser)
    proof = proof_of(browser, passkey)
    assert confirm(browser, "", credential=proof).status_code == 302
    other = admin_browser(staff, completed_by=None)
    assert "not accepted" in text_of(confirm(other, "", credential=proof))


def test_a_passkey_is_added_by_who_is_signed_in_for_good_and_lately(
    staff: User, as_staff: Client
) -> None:
    App(staff)
    half_way = admin_browser(staff, completed_by=None)
    assert half_way.post(page("passkey_options"))["Location"].startswith(CONFIRM)
    with age_session(as_staff, minutes=6):
        assert as_staff.post(page("passkey_options")).status_code == 403
        assert as_staff.post(FACTORS, {"credential": "{}"})["Location"].startswith(CONFIRM)
    assert "not accepted" in text_of(as_staff.post(FACTORS, {"credential": "{}"}))
    assert not Passkey.objects.exists()


def test_the_last_passkey_removed_leads_to_a_new_factor(
    passkey: Authenticator, as_staff: Client
) -> None:
    pk = Passkey.objects.get().pk
    assert as_staff.post(FACTORS, {"remove": "x"}).status_code == 404
    assert as_staff.post(FACTORS, {"remove": str(pk)}).status_code == 302
    assert as_staff.get(HERE)["Location"].startswith(SETUP)
