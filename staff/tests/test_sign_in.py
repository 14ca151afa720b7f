"""Signing in to the admin: one guard with the API, one message for every failure."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, User
from accounts.tests.calls import WRONG_PASSWORD, code_of, fail_to_sign_in, sign_in
from accounts.tests.factories import PASSWORD, make_user
from conftest import ApiClient
from crm.api.errors import AuthRateLimited, ServiceUnavailable
from crm.env import env
from security.rate_limits import exact
from staff import site as admin_site
from staff.tests.admin_calls import ADMIN_COOKIE, is_signed_in, sign_in_to_admin, text_of

# The step of the password; the second one is in test_admin_second_factor.
pytestmark = pytest.mark.usefixtures("password_opens_admin")


@pytest.fixture
def staff(db: None) -> User:
    return make_user("staff@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def browser() -> Client:
    return Client()


def test_password_fields_are_masked(browser: Client, staff: User) -> None:
    page = text_of(browser.get(reverse("admin:login")))
    (field,) = re.findall(r"<input[^>]* name=\"password\"[^>]*>", page)
    assert 'type="password"' in field


@pytest.mark.parametrize(
    "email",
    ["staff@example.com", " STAFF@Example.com ", "\uff53\uff54\uff41\uff46\uff46@example.com"],
)
def test_staff_sign_in_with_any_spelling(staff: User, browser: Client, email: str) -> None:
    answer = sign_in_to_admin(browser, email)
    assert (answer.status_code, answer["Location"]) == (302, f"/{env.admin_path}")
    assert is_signed_in(browser)
    staff.refresh_from_db()
    assert staff.last_login is not None


def test_wrong_unknown_inactive_and_not_staff_get_the_same_answer(
    staff: User, alice: Membership, browser: Client
) -> None:
    make_user("gone@example.com", is_staff=True, is_active=False)
    tries = [
        ("staff@example.com", WRONG_PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
        ("alice@example.com", PASSWORD),
        ("alice@example.com", WRONG_PASSWORD),
    ]
    pages = set()
    for email, password in tries:
        answer = sign_in_to_admin(browser, email, password)
        assert answer.status_code == 200
        pages.add(str(answer.context["form"].non_field_errors()))
    assert len(pages) == 1
    assert not is_signed_in(browser)


def test_failures_in_the_admin_lock_the_api(
    alice: Membership, browser: Client, as_stranger: ApiClient
) -> None:
    for _ in range(5):
        assert sign_in_to_admin(browser, " Alice@EXAMPLE.com", WRONG_PASSWORD).status_code == 200
    assert code_of(sign_in(as_stranger)) == (423, "ACCOUNT_LOCKED")


@pytest.mark.parametrize("email", ["staff@example.com", "nobody@example.com"])
def test_failures_in_the_api_lock_the_admin_with_a_page(
    staff: User, browser: Client, as_stranger: ApiClient, email: str
) -> None:
    fail_to_sign_in(as_stranger, email, times=5)
    answer = sign_in_to_admin(browser, email)
    assert answer.status_code == 423
    assert 1790 <= int(answer["Retry-After"]) <= 1801
    assert answer["Content-Type"].startswith("text/html")
    assert "Too many failures" in text_of(answer)
    assert "Try again in 30 minutes" in text_of(answer)
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    ("error", "status"),
    [(AuthRateLimited(headers={"Retry-After": "9"}), 429), (ServiceUnavailable(), 503)],
)
def test_limits_and_outages_are_pages(
    staff: User, browser: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(exact._Failure, "count", refuse)
    answer = sign_in_to_admin(browser)
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("text/html")
    assert answer.get("Retry-After") == ("9" if status == 429 else None)
    assert not is_signed_in(browser)


def test_sign_ins_count_as_calls_of_the_address(
    staff: User, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[object] = []
    monkeypatch.setattr(
        admin_site, "check_general", lambda *args, **options: counted.append(options)
    )
    browser.get(reverse("admin:login"))
    sign_in_to_admin(browser)
    assert counted == [{"anonymous_limit": "login_calls"}]


def test_a_sign_in_forgets_earlier_failures(staff: User, browser: Client) -> None:
    for _ in range(4):
        sign_in_to_admin(browser, password=WRONG_PASSWORD)
    sign_in_to_admin(browser)
    for _ in range(4):
        sign_in_to_admin(browser, password=WRONG_PASSWORD)
    assert sign_in_to_admin(browser).status_code == 302


def test_the_session_key_changes_at_sign_in(staff: User, browser: Client) -> None:
    browser.cookies[ADMIN_COOKIE] = "planted0planted0planted0planted0"
    sign_in_to_admin(browser)
    first = browser.cookies[ADMIN_COOKIE].value
    sign_in_to_admin(browser)
    old, browser.cookies[ADMIN_COOKIE] = browser.cookies[ADMIN_COOKIE].value, first
    assert first != "planted0planted0planted0planted0"
    assert is_signed_in(browser) is (old == first)


def test_cookie_flags(staff: User, browser: Client) -> None:
    sign_in_to_admin(browser)
    cookie = browser.cookies[ADMIN_COOKIE]
    assert settings.SESSION_COOKIE_NAME == ADMIN_COOKIE
    assert cookie["secure"]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
    assert (cookie["max-age"], cookie["expires"]) == ("", "")


def test_signing_out_takes_a_post(as_staff: Client) -> None:
    assert as_staff.get(reverse("admin:logout")).status_code == 405
    assert is_signed_in(as_staff)
    assert as_staff.post(reverse("admin:logout")).status_code == 200
    assert not is_signed_in(as_staff)


def test_forms_need_the_csrf_token(staff: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = sign_in_to_admin(browser)
    assert answer.status_code == 403
    assert "too old" in text_of(answer)


def test_a_password_change_asks_the_guard(as_staff: Client, staff: User) -> None:
    form = {
        "old_password": WRONG_PASSWORD,
        "new_password1": "Another-Horse-Battery-8",
        "new_password2": "Another-Horse-Battery-8",
    }
    for _ in range(5):
        assert as_staff.post(reverse("admin:password_change"), form).status_code == 200
    answer = as_staff.post(reverse("admin:password_change"), form | {"old_password": PASSWORD})
    assert answer.status_code == 423
    staff.refresh_from_db()
    assert staff.check_password(PASSWORD)
