"""Signing out ends the session at once, for the access token too."""

import datetime

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Membership, RevokeReason, Session
from accounts.tests.calls import (
    COOKIE,
    code_of,
    cookie_of,
    me,
    refresh_with,
    sign_in,
    sign_in_app,
    token_of,
)
from conftest import ApiClient

LOGOUT = "/v1/auth/logout"
ENDED = (401, "SESSION_REVOKED")


def test_sign_out_with_the_cookie_ends_the_session_at_once(
    alice: Membership, as_stranger: ApiClient
) -> None:
    access = token_of(sign_in(as_stranger))
    last = cookie_of(as_stranger)
    answer = as_stranger.post_json(LOGOUT)
    assert answer.json()["data"] == {"loggedOut": True}
    assert code_of(me(access)) == ENDED
    assert code_of(refresh_with(last)) == (401, "INVALID_REFRESH_TOKEN")
    assert Session.objects.get().revoke_reason == RevokeReason.LOGOUT


def test_sign_out_takes_the_cookie_back_and_clears_the_browser(
    alice: Membership, as_stranger: ApiClient
) -> None:
    sign_in(as_stranger)
    answer = as_stranger.post_json(LOGOUT)
    morsel = answer.cookies[COOKIE]
    assert (morsel.value, morsel["max-age"], morsel["path"]) == ("", 0, "/")
    assert (morsel["secure"], morsel["httponly"]) == (True, True)
    assert answer["Clear-Site-Data"] == '"cache", "storage"'


def test_sign_out_with_an_access_token(alice: Membership, as_stranger: ApiClient) -> None:
    access = token_of(sign_in(as_stranger))
    answer = ApiClient(f"Bearer {access}").post_json(LOGOUT)
    assert answer.status_code == 200
    assert code_of(me(access)) == ENDED


def test_sign_out_with_a_refresh_token_in_the_body(
    alice: Membership, as_stranger: ApiClient
) -> None:
    data = sign_in_app(as_stranger)
    answer = as_stranger.post_json(LOGOUT, {"refreshToken": data["refreshToken"]})
    assert answer.status_code == 200
    assert code_of(me(data["accessToken"])) == ENDED


def test_sign_out_twice_and_without_anything_is_fine(
    alice: Membership, as_stranger: ApiClient
) -> None:
    access = token_of(sign_in(as_stranger))
    for client in (as_stranger, as_stranger, ApiClient(f"Bearer {access}"), ApiClient()):
        assert client.post_json(LOGOUT).status_code == 200


def test_sign_out_keeps_other_sessions(alice: Membership, as_stranger: ApiClient) -> None:
    elsewhere = token_of(sign_in(ApiClient()))
    sign_in(as_stranger)
    as_stranger.post_json(LOGOUT)
    assert me(elsewhere).status_code == 200


def test_expired_token_still_signs_out(alice: Membership, as_stranger: ApiClient) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        access = token_of(sign_in(as_stranger))
        clock.shift(datetime.timedelta(hours=1))
        ApiClient(f"Bearer {access}").post_json(LOGOUT)
    assert Session.objects.get().revoked_at is not None


@pytest.mark.parametrize("credential", ["Bearer x", "Bearer a.b.c", "Basic abc", "Bearer", "x y z"])
def test_unreadable_credential_ends_nothing(alice: Membership, credential: str) -> None:
    access = token_of(sign_in(ApiClient()))
    assert ApiClient(credential).post_json(LOGOUT).status_code == 200
    assert me(access).status_code == 200


def test_forged_token_ends_nothing(alice: Membership, as_stranger: ApiClient) -> None:
    access = token_of(sign_in(as_stranger))
    head, payload, signature = access.split(".")
    forged = f"{head}.{payload}.{signature[::-1]}"
    ApiClient(f"Bearer {forged}").post_json(LOGOUT)
    as_stranger.cookies.clear()
    as_stranger.post_json(LOGOUT, {"refreshToken": forged})
    assert me(access).status_code == 200


def test_sign_out_of_an_app_leaves_the_browsers_session_and_cookie(
    alice: Membership, as_stranger: ApiClient
) -> None:
    browser = token_of(sign_in(as_stranger))
    app = sign_in_app(ApiClient())
    answer = as_stranger.post_json(LOGOUT, {"refreshToken": app["refreshToken"]})
    assert me(browser).status_code == 200
    assert COOKIE not in answer.cookies


def test_sign_out_everywhere_ends_all_sessions_of_the_user(
    alice: Membership, bob: Membership, as_stranger: ApiClient
) -> None:
    elsewhere = token_of(sign_in(ApiClient()))
    bobs = token_of(sign_in(ApiClient(), "bob@example.com"))
    here = token_of(sign_in(as_stranger))
    as_stranger.defaults["HTTP_AUTHORIZATION"] = f"Bearer {here}"
    answer = as_stranger.post_json("/v1/auth/logout-all")
    assert answer.json()["data"] == {"sessionsEnded": 2}
    assert answer.cookies[COOKIE].value == ""
    assert [code_of(me(token)) for token in (here, elsewhere)] == [ENDED, ENDED]
    assert me(bobs).status_code == 200


def test_app_signs_out_everywhere_without_a_cookie(alice: Membership) -> None:
    access = token_of(sign_in(ApiClient()))
    answer = ApiClient(f"Bearer {access}").post_json("/v1/auth/logout-all")
    assert answer.status_code == 200
    assert not answer.cookies


def test_sign_out_everywhere_needs_a_user(as_stranger: ApiClient, as_key: ApiClient) -> None:
    assert code_of(as_stranger.post_json("/v1/auth/logout-all"))[0] == 401
    assert code_of(as_key.post_json("/v1/auth/logout-all")) == (403, "PERMISSION_DENIED")
