"""A refresh token works once: rotation, second tabs, theft, and the ends of a session."""

import datetime
import time

import pytest
import time_machine
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import Membership, RevokeReason, Session
from accounts.sessions import refresh as refresh_flow
from accounts.sessions.tokens import RefreshToken
from accounts.tests.calls import (
    COOKIE,
    code_of,
    cookie_of,
    me,
    refresh,
    refresh_with,
    refresh_with_cookie,
    sign_in,
    sign_in_app,
    token_of,
)
from accounts.tests.conftest import ChangeEnv
from conftest import ApiClient

DAY = datetime.timedelta(days=1)
INVALID = (401, "INVALID_REFRESH_TOKEN")


def claims(raw_token: str) -> dict[str, object]:
    payload: dict[str, object] = RefreshToken(raw_token).payload  # type: ignore[arg-type]
    return payload


def test_refresh_answers_an_access_token_and_rotates_the_cookie(
    alice: Membership, as_stranger: ApiClient
) -> None:
    sign_in(as_stranger)
    first = cookie_of(as_stranger)
    answer = refresh(as_stranger)
    data = answer.json()["data"]
    assert data.keys() == {"accessToken", "expiresIn", "expiresInSeconds", "tokenType"}
    assert me(data["accessToken"]).status_code == 200
    assert cookie_of(as_stranger) != first
    assert cookie_of(as_stranger) not in answer.content.decode()


def test_refresh_goes_on_in_the_same_session(alice: Membership, as_stranger: ApiClient) -> None:
    before = token_of(sign_in(as_stranger))
    for _ in range(3):
        assert refresh(as_stranger).status_code == 200
    assert Session.objects.get().generation == 3
    assert me(before).status_code == 200


def test_app_gets_the_next_token_in_the_body(alice: Membership, as_stranger: ApiClient) -> None:
    first = sign_in_app(as_stranger)["refreshToken"]
    answer = refresh_with(first)
    second = answer.json()["data"]["refreshToken"]
    assert second != first
    assert COOKIE not in answer.cookies
    assert refresh_with(second).status_code == 200


def test_refresh_without_a_token_is_told_so(as_stranger: ApiClient, db: None) -> None:
    assert code_of(refresh(as_stranger)) == (401, "NO_REFRESH_TOKEN")


@pytest.mark.parametrize("token", ["x", "a.b.c", "crm_abc", "\u00e9" * 9, "x" * 4096])
def test_garbage_is_no_refresh_token(db: None, token: str) -> None:
    assert code_of(refresh_with(token)) == INVALID


@pytest.mark.parametrize("body", [{"refreshToken": ""}, {"refreshToken": 1}, {"token": "x"}])
def test_malformed_refresh_is_a_validation_error(
    as_stranger: ApiClient, db: None, body: dict[str, object]
) -> None:
    answer = as_stranger.post_json("/v1/auth/refresh", body)
    assert code_of(answer) == (400, "VALIDATION_ERROR")


def test_used_token_ends_all_sessions_of_the_user(
    alice: Membership, bob: Membership, as_stranger: ApiClient
) -> None:
    elsewhere = token_of(sign_in(ApiClient()))
    bobs = token_of(sign_in(ApiClient(), "bob@example.com"))
    sign_in(as_stranger)
    used = cookie_of(as_stranger)
    fresh = token_of(refresh(as_stranger))
    answer = refresh_with_cookie(used)
    assert code_of(answer) == INVALID
    assert not answer.cookies  # The thief's answer leaves no trace in the victim's browser.
    assert [code_of(me(token)) for token in (fresh, elsewhere)] == [(401, "SESSION_REVOKED")] * 2
    assert code_of(refresh(as_stranger)) == INVALID
    assert me(bobs).status_code == 200
    alices = Session.objects.filter(user=alice.user)
    assert set(alices.values_list("revoke_reason", flat=True)) == {RevokeReason.TOKEN_REUSE}


def test_token_of_two_rotations_ago_is_theft(alice: Membership, as_stranger: ApiClient) -> None:
    sign_in(as_stranger)
    oldest = cookie_of(as_stranger)
    refresh(as_stranger)
    fresh = token_of(refresh(as_stranger))
    assert code_of(refresh_with(oldest)) == INVALID
    assert code_of(me(fresh)) == (401, "SESSION_REVOKED")


def test_token_of_two_rotations_ago_is_theft_even_if_it_was_in_flight(
    alice: Membership, as_stranger: ApiClient
) -> None:
    sign_in(as_stranger)
    oldest, sent_at = cookie_of(as_stranger), time.time()
    refresh(as_stranger)
    fresh = token_of(refresh(as_stranger))
    assert code_of(refresh_with_cookie(oldest, **{"crm.arrived_at": sent_at})) == INVALID
    assert code_of(me(fresh)) == (401, "SESSION_REVOKED")


def test_second_tab_gets_the_same_successor(alice: Membership, as_stranger: ApiClient) -> None:
    sign_in(as_stranger)
    used, sent_at = cookie_of(as_stranger), time.time()
    refresh(as_stranger)
    tab = ApiClient()
    tab.cookies[COOKIE] = used
    answer = refresh(tab, **{"crm.arrived_at": sent_at})
    assert answer.status_code == 200
    assert cookie_of(tab) == cookie_of(as_stranger)
    assert Session.objects.get().generation == 1


def test_retry_within_the_leeway_gets_the_same_successor(
    alice: Membership, as_stranger: ApiClient, change_env: ChangeEnv
) -> None:
    change_env(refresh_flow, refresh_reuse_leeway=datetime.timedelta(seconds=30))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = sign_in_app(as_stranger)["refreshToken"]
        second = refresh_with(first).json()["data"]["refreshToken"]
        clock.shift(30)
        assert refresh_with(first).json()["data"]["refreshToken"] == second


def test_retry_after_the_leeway_is_theft(
    alice: Membership, as_stranger: ApiClient, change_env: ChangeEnv
) -> None:
    change_env(refresh_flow, refresh_reuse_leeway=datetime.timedelta(seconds=30))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = sign_in_app(as_stranger)["refreshToken"]
        second = refresh_with(first).json()["data"]["refreshToken"]
        clock.shift(31)
        assert code_of(refresh_with(first)) == INVALID
        assert code_of(refresh_with(second)) == INVALID


def test_leeway_brings_no_ended_session_back(
    alice: Membership, as_stranger: ApiClient, change_env: ChangeEnv
) -> None:
    change_env(refresh_flow, refresh_reuse_leeway=datetime.timedelta(seconds=30))
    first = sign_in_app(as_stranger)["refreshToken"]
    refresh_with(first)
    Session.objects.all().revoke(RevokeReason.LOGOUT)
    assert code_of(refresh_with(first)) == INVALID


def test_replay_after_sign_out_ends_nothing_else(alice: Membership, as_stranger: ApiClient) -> None:
    elsewhere = token_of(sign_in(ApiClient()))
    sign_in(as_stranger)
    used = cookie_of(as_stranger)
    refresh(as_stranger)
    last = cookie_of(as_stranger)
    as_stranger.post_json("/v1/auth/logout")
    assert code_of(refresh_with(used)) == INVALID
    assert code_of(refresh_with(last)) == INVALID
    assert me(elsewhere).status_code == 200


def test_without_rotation_the_token_stays(
    alice: Membership, as_stranger: ApiClient, change_env: ChangeEnv
) -> None:
    change_env(refresh_flow, enable_token_rotation=False)
    first = sign_in_app(as_stranger)["refreshToken"]
    for _ in range(2):
        assert refresh_with(first).json()["data"]["refreshToken"] == first


def test_without_theft_detection_reuse_is_refused_and_ends_nothing(
    alice: Membership, as_stranger: ApiClient, change_env: ChangeEnv
) -> None:
    change_env(refresh_flow, enable_theft_detection=False)
    first = sign_in_app(as_stranger)["refreshToken"]
    second = refresh_with(first).json()["data"]["refreshToken"]
    assert code_of(refresh_with(first)) == INVALID
    assert refresh_with(second).status_code == 200


def test_no_rotation_moves_the_absolute_end(alice: Membership, as_stranger: ApiClient) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = sign_in_app(as_stranger)["refreshToken"]
        end = int(Session.objects.get().expires_at.timestamp())
        for _ in range(4):
            clock.shift(6.9 * DAY)
            token = refresh_with(token).json()["data"]["refreshToken"]
        assert claims(token)["exp"] == end
        clock.shift(2.4 * DAY)
        assert code_of(refresh_with(token)) == INVALID


def test_access_token_ends_with_its_session(alice: Membership, as_stranger: ApiClient) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = sign_in_app(as_stranger)["refreshToken"]
        for _ in range(4):
            clock.shift(6.9 * DAY)
            token = refresh_with(token).json()["data"]["refreshToken"]
        clock.shift(Session.objects.get().expires_at - timezone.now() - datetime.timedelta(0, 60))
        data = refresh_with(token).json()["data"]
        assert data["expiresInSeconds"] == 60
        clock.shift(60)
        assert code_of(me(data["accessToken"]))[0] == 401


def test_refresh_token_ends_after_seven_days(alice: Membership, as_stranger: ApiClient) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = sign_in_app(as_stranger)["refreshToken"]
        clock.shift(7 * DAY)
        assert code_of(refresh_with(token)) == INVALID


def test_idle_session_ends_before_its_refresh_token(
    alice: Membership, as_stranger: ApiClient
) -> None:
    token = sign_in_app(as_stranger)["refreshToken"]
    Session.objects.update(last_seen_at=timezone.now() - 7 * DAY)
    assert code_of(refresh_with(token)) == INVALID


def test_refresh_keeps_a_session_from_idling_out(alice: Membership, as_stranger: ApiClient) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = sign_in_app(as_stranger)["refreshToken"]
        clock.shift(6 * DAY)
        token = refresh_with(token).json()["data"]["refreshToken"]
        clock.shift(6 * DAY)
        assert refresh_with(token).status_code == 200


def test_ledger_holds_hashes_and_strikes_out_used_tokens(
    alice: Membership, as_stranger: ApiClient
) -> None:
    first = sign_in_app(as_stranger)["refreshToken"]
    second = refresh_with(first).json()["data"]["refreshToken"]
    stored = OutstandingToken.objects.values_list("jti", "token")
    assert {jti for jti, _ in stored} == {claims(first)["jti"], claims(second)["jti"]}
    assert not {first, second} & {token for _, token in stored}
    assert BlacklistedToken.objects.get().token.jti == claims(first)["jti"]


def test_refresh_token_of_another_user_with_the_same_session_id_is_refused(
    alice: Membership, bob: Membership, as_stranger: ApiClient
) -> None:
    token = RefreshToken(sign_in_app(as_stranger)["refreshToken"])
    token["sub"] = str(bob.user_id)
    assert code_of(refresh_with(str(token))) == INVALID
