"""The refresh cookie, and the proof that a call on it comes from our own page."""

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Membership, Session
from accounts.sessions import refresh_cookie as cookie_module
from accounts.tests.calls import (
    COOKIE,
    code_of,
    cookie_of,
    me,
    refresh,
    refresh_with,
    sign_in,
    sign_in_app,
    token_of,
)
from accounts.tests.conftest import ChangeEnv
from conftest import ApiClient

LOGOUT = "/v1/auth/logout"
APP = "https://app.example.com"
FOREIGN = [
    {"Origin": "https://attacker.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://[::1"},  # No URL at all.
    {"Origin": "http://testserver/"},
    {"Origin": "https://testserver"},  # Another scheme than the request's is another origin.
    {"Origin": "http://testserver:8080"},
    {"Origin": "http://testserver.attacker.example"},
    {"Origin": "http://attacker.example/http://testserver"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "Cross-Site"},
    {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
]
OWN = [
    {},
    {"Origin": "http://testserver"},
    {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
]


def test_cookie_is_out_of_reach_of_scripts_and_other_hosts(
    alice: Membership, as_stranger: ApiClient
) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        morsel = sign_in(as_stranger).cookies[COOKIE]
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"]) == (True, True, "Strict")
    assert (morsel["path"], morsel["domain"]) == ("/", "")
    assert morsel["max-age"] in range(7 * 86400 - 1, 7 * 86400 + 1)


def test_rotated_cookie_has_the_same_attributes(alice: Membership, as_stranger: ApiClient) -> None:
    first = sign_in(as_stranger).cookies[COOKIE]
    second = refresh(as_stranger).cookies[COOKIE]
    names = ("secure", "httponly", "samesite", "path", "domain")
    assert [first[name] for name in names] == [second[name] for name in names]


def test_host_cookie_takes_no_domain(
    alice: Membership, as_stranger: ApiClient, change_env: ChangeEnv
) -> None:
    change_env(cookie_module, cookie_domain="example.com")
    assert sign_in(as_stranger).cookies[COOKIE]["domain"] == ""


def test_plain_cookie_of_development(
    alice: Membership,
    as_stranger: ApiClient,
    change_env: ChangeEnv,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change_env(cookie_module, cookie_secure=False, cookie_domain="example.com")
    monkeypatch.setattr(cookie_module, "COOKIE_NAME", "refreshToken")
    morsel = sign_in(as_stranger).cookies["refreshToken"]
    assert (morsel["secure"], morsel["domain"]) == ("", "example.com")
    assert refresh(as_stranger).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_refresh_from_a_foreign_page_changes_nothing(
    alice: Membership, as_stranger: ApiClient, headers: dict[str, str]
) -> None:
    sign_in(as_stranger)
    before = cookie_of(as_stranger)
    answer = refresh(as_stranger, headers=headers)
    assert code_of(answer) == (403, "CSRF_FAILED")
    assert not answer.cookies
    assert "Access-Control-Allow-Origin" not in answer
    assert Session.objects.get().generation == 0
    assert cookie_of(as_stranger) == before


@pytest.mark.parametrize("headers", FOREIGN)
def test_sign_out_from_a_foreign_page_changes_nothing(
    alice: Membership, as_stranger: ApiClient, headers: dict[str, str]
) -> None:
    access = token_of(sign_in(as_stranger))
    answer = as_stranger.post_json(LOGOUT, headers=headers)
    assert code_of(answer) == (403, "CSRF_FAILED")
    assert not answer.cookies
    assert me(access).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_sign_in_from_a_foreign_page_is_refused(
    alice: Membership, as_stranger: ApiClient, headers: dict[str, str]
) -> None:
    answer = sign_in(as_stranger, headers=headers)
    assert code_of(answer) == (403, "CSRF_FAILED")
    assert not Session.objects.exists()


@pytest.mark.parametrize("headers", OWN)
def test_own_page_refreshes_and_signs_out(
    alice: Membership, as_stranger: ApiClient, headers: dict[str, str]
) -> None:
    sign_in(as_stranger, headers=headers)
    assert refresh(as_stranger, headers=headers).status_code == 200
    assert as_stranger.post_json(LOGOUT, headers=headers).status_code == 200


def test_allowed_origin_refreshes_across_sites(
    alice: Membership, as_stranger: ApiClient, change_env: ChangeEnv
) -> None:
    change_env(cookie_module, cors_allowed_origins=(APP,))
    sign_in(as_stranger)
    headers = {"Origin": APP, "Sec-Fetch-Site": "cross-site"}
    assert refresh(as_stranger, headers=headers).status_code == 200
    assert code_of(refresh(as_stranger, headers={"Origin": f"{APP}:444"}))[0] == 403


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
@pytest.mark.parametrize("path", ["/v1/auth/refresh", LOGOUT])
@pytest.mark.parametrize("body", ["", "{}"])
def test_what_a_form_can_send_changes_nothing(
    alice: Membership, as_stranger: ApiClient, path: str, content_type: str, body: str
) -> None:
    sign_in(as_stranger)
    answer = as_stranger.generic("POST", path, body, content_type=content_type)
    assert code_of(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    session = Session.objects.get()
    assert (session.generation, session.revoked_at) == (0, None)


def test_json_with_a_charset_is_json(alice: Membership, as_stranger: ApiClient) -> None:
    sign_in(as_stranger)
    content_type = "application/json; charset=utf-8"
    answer = as_stranger.post("/v1/auth/refresh", {}, content_type=content_type)
    assert answer.status_code == 200


def test_empty_body_refreshes(alice: Membership, as_stranger: ApiClient) -> None:
    sign_in(as_stranger)
    answer = as_stranger.generic("POST", "/v1/auth/refresh", CONTENT_TYPE="application/json")
    assert answer.status_code == 200


def test_apps_are_asked_for_no_origin(alice: Membership) -> None:
    token = sign_in_app(ApiClient())["refreshToken"]
    assert refresh_with(token, headers={"Origin": "capacitor://localhost"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/auth/me", "/v1/auth/sessions", "/v1/clients", "/v1/api-keys"]
)
def test_cookie_opens_no_other_route(alice: Membership, as_stranger: ApiClient, path: str) -> None:
    sign_in(as_stranger)
    assert code_of(as_stranger.get(path)) == (401, "AUTHENTICATION_REQUIRED")


def test_cookie_without_the_host_prefix_is_ignored(
    alice: Membership, as_stranger: ApiClient
) -> None:
    sign_in(as_stranger)
    thief = ApiClient()
    thief.cookies["refreshToken"] = cookie_of(as_stranger)
    assert code_of(refresh(thief)) == (401, "NO_REFRESH_TOKEN")
