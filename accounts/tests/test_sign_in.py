"""Signing in: an email and a password become a session."""

from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Membership, Session, User
from accounts.tests.calls import (
    COOKIE,
    WRONG_PASSWORD,
    Answer,
    code_of,
    cookie_of,
    me,
    refresh_with_cookie,
    sign_in,
    sign_in_app,
    token_of,
)
from accounts.tests.factories import make_member, make_team, make_user
from conftest import ApiClient
from security.access.roles import Role
from security.tests.counters import SetRate

BODY_FIELDS = {"user", "accessToken", "expiresIn", "expiresInSeconds", "tokenType"}
USER_FIELDS = {"id", "email", "firstName", "lastName", "role", "team", "permissions"}


def test_alice_signs_in_with_her_password(alice: Membership, as_stranger: ApiClient) -> None:
    answer = sign_in(as_stranger)
    data = answer.json()["data"]
    assert answer.status_code == 200
    assert data.keys() == BODY_FIELDS
    assert data["user"].keys() == USER_FIELDS
    assert data["user"]["team"] == {"id": str(alice.team_id), "name": "Harbor Realty"}
    assert (data["expiresIn"], data["expiresInSeconds"]) == ("15m", 900)
    assert data["tokenType"] == "Bearer"
    assert me(data["accessToken"]).json()["data"] == data["user"]


def test_sign_in_notes_device_browser_and_address(
    alice: Membership, as_stranger: ApiClient
) -> None:
    sign_in(as_stranger, deviceName="Phone", headers={"User-Agent": "Browser/1 " * 100})
    session = Session.objects.get()
    assert session.user_id == alice.user_id
    assert (session.device_name, session.ip_address) == ("Phone", "127.0.0.1")
    assert session.user_agent == ("Browser/1 " * 100)[:400]


def test_sign_in_notes_the_time_on_the_user(alice: Membership, as_stranger: ApiClient) -> None:
    sign_in(as_stranger)
    alice.user.refresh_from_db()
    assert alice.user.last_login is not None


@pytest.mark.parametrize(
    "written",
    [" alice@example.com ", "ALICE@Example.COM", "\uff41\uff4c\uff49\uff43\uff45@example.com"],
)
def test_any_spelling_of_the_address_is_the_same_account(
    alice: Membership, as_stranger: ApiClient, written: str
) -> None:
    answer = sign_in(as_stranger, written)
    assert answer.json()["data"]["user"]["id"] == str(alice.user_id)


def test_browser_gets_the_refresh_token_in_the_cookie_only(
    alice: Membership, as_stranger: ApiClient
) -> None:
    answer = sign_in(as_stranger)
    assert cookie_of(as_stranger) not in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"


def test_app_gets_the_refresh_token_in_the_body_only(
    alice: Membership, as_stranger: ApiClient
) -> None:
    answer = sign_in(as_stranger, tokenDelivery="body")
    assert answer.json()["data"].keys() == {*BODY_FIELDS, "refreshToken"}
    assert COOKIE not in answer.cookies


def test_wrong_password_opens_no_session(alice: Membership, as_stranger: ApiClient) -> None:
    answer = sign_in(as_stranger, password=WRONG_PASSWORD)
    assert code_of(answer) == (401, "INVALID_CREDENTIALS")
    assert answer.json()["error"]["details"] == {"attemptsRemaining": 4}
    assert not answer.cookies
    assert not Session.objects.exists()


def comparable(answer: Answer) -> tuple[Any, ...]:
    """Return what a guesser sees of an answer, without what differs between any two answers."""
    error = {name: v for name, v in answer.json()["error"].items() if name != "requestId"}
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in {"X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset"}
    }
    return answer.status_code, error, headers


def make_addresses(team_member: Membership) -> list[str]:
    """Return a known address, one nobody has, an inactive user's, one that waits for its link
    and one without a password."""
    make_user("inactive@example.com", is_active=False)
    make_user("unverified@example.com", email_verified_at=None)
    User.objects.create_user("passwordless@example.com")
    return [
        team_member.user.email,
        "nobody@example.com",
        "inactive@example.com",
        "unverified@example.com",
        "passwordless@example.com",
    ]


def test_no_answer_tells_which_addresses_exist(alice: Membership, as_stranger: ApiClient) -> None:
    addresses = make_addresses(alice)
    answers = [sign_in(as_stranger, email, WRONG_PASSWORD) for email in addresses]
    assert all(comparable(answer) == comparable(answers[0]) for answer in answers)


def test_the_right_password_of_an_inactive_user_answers_as_a_wrong_one(
    alice: Membership, as_stranger: ApiClient
) -> None:
    make_user("inactive@example.com", is_active=False)
    inactive = sign_in(as_stranger, "inactive@example.com")
    wrong = sign_in(as_stranger, password=WRONG_PASSWORD)
    assert comparable(inactive) == comparable(wrong)


def test_empty_password_of_a_passwordless_user_is_refused(db: None, as_stranger: ApiClient) -> None:
    User.objects.create_user("passwordless@example.com")
    assert code_of(sign_in(as_stranger, "passwordless@example.com", ""))[0] == 400
    assert code_of(sign_in(as_stranger, "passwordless@example.com", " "))[0] == 401


def test_removed_member_has_no_team_to_sign_in_to(
    alice: Membership, as_stranger: ApiClient
) -> None:
    Membership.objects.update(is_active=False)
    assert code_of(sign_in(as_stranger)) == (403, "PERMISSION_DENIED")
    assert not Session.objects.exists()


def test_member_of_an_inactive_team_has_no_team_to_sign_in_to(
    alice: Membership, as_stranger: ApiClient
) -> None:
    alice.team.is_active = False
    alice.team.save()
    assert code_of(sign_in(as_stranger)) == (403, "PERMISSION_DENIED")


def test_platform_superuser_belongs_to_no_team(as_stranger: ApiClient, db: None) -> None:
    make_user("root@example.com", is_staff=True, is_superuser=True)
    assert code_of(sign_in(as_stranger, "root@example.com")) == (403, "PERMISSION_DENIED")


def test_member_of_two_teams_starts_in_the_first(alice: Membership, as_stranger: ApiClient) -> None:
    other_team = make_team("Other")
    Membership.objects.create(team=other_team, user=alice.user, role=Role.AGENT)
    assert sign_in(as_stranger).json()["data"]["user"]["team"]["id"] == str(alice.team_id)


def test_signing_in_again_ends_the_browsers_old_session(
    alice: Membership, as_stranger: ApiClient
) -> None:
    old = token_of(sign_in(as_stranger))
    old_cookie = cookie_of(as_stranger)
    new = token_of(sign_in(as_stranger))
    assert code_of(me(old)) == (401, "SESSION_REVOKED")
    assert me(new).status_code == 200
    assert code_of(refresh_with_cookie(old_cookie)) == (401, "INVALID_REFRESH_TOKEN")
    assert me(new).status_code == 200  # The cookie of an ended session is no theft.


def test_signing_in_as_somebody_else_ends_the_browsers_old_session(
    alice: Membership, bob: Membership, as_stranger: ApiClient
) -> None:
    old = token_of(sign_in(as_stranger))
    sign_in(as_stranger, "bob@example.com")
    assert code_of(me(old)) == (401, "SESSION_REVOKED")


def test_failing_to_sign_in_again_keeps_the_old_session(
    alice: Membership, as_stranger: ApiClient
) -> None:
    old = token_of(sign_in(as_stranger))
    sign_in(as_stranger, password=WRONG_PASSWORD)
    assert me(old).status_code == 200


def test_signing_in_elsewhere_keeps_the_other_session(alice: Membership) -> None:
    first = token_of(sign_in(ApiClient()))
    sign_in(ApiClient())
    assert me(first).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": None}, "email"),
        ({"email": 12}, "email"),
        ({"email": "x" * 255}, "email"),
        ({"email": ["alice@example.com"]}, "email"),
        ({"password": None}, "password"),
        ({"password": {"$ne": ""}}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"deviceName": "x" * 101}, "deviceName"),
        ({"deviceName": True}, "deviceName"),
        ({"totpCode": 123456}, "totpCode"),
        ({"tokenDelivery": "header"}, "tokenDelivery"),
        ({"team": "other"}, "team"),
        ({"is_staff": True}, "is_staff"),
    ],
)
def test_malformed_sign_in_names_the_field_and_counts_nothing(
    alice: Membership, as_stranger: ApiClient, change: dict[str, Any], field: str
) -> None:
    body = {"email": "alice@example.com", "password": "x", **change}
    answer = as_stranger.post_json("/v1/auth/login", body)
    assert code_of(answer) == (400, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"].keys() == {field}
    assert sign_in(as_stranger, password="x").json()["error"]["details"]["attemptsRemaining"] == 4


@pytest.mark.parametrize("field", ["email", "password"])
def test_nul_is_refused_before_anything_is_judged(
    alice: Membership, as_stranger: ApiClient, field: str
) -> None:
    body = {"email": "alice@example.com", "password": "x", field: "a\0b"}
    answer = as_stranger.post_json("/v1/auth/login", body)
    assert code_of(answer) == (400, "VALIDATION_ERROR")


def test_sign_in_needs_both_fields(as_stranger: ApiClient, db: None) -> None:
    answer = as_stranger.post_json("/v1/auth/login", {})
    assert answer.json()["error"]["details"].keys() == {"email", "password"}


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
@pytest.mark.parametrize("name", ["login", "refresh", "logout", "logout-all", "switch-team"])
def test_calls_that_change_something_are_posts(
    as_stranger: ApiClient, db: None, method: str, name: str
) -> None:
    answer = getattr(as_stranger, method)(f"/v1/auth/{name}")
    assert code_of(answer) == (405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer["Allow"]


def test_credentials_in_the_query_string_are_refused(
    alice: Membership, as_stranger: ApiClient
) -> None:
    answer = as_stranger.post_json("/v1/auth/login?email=alice@example.com&password=x")
    assert code_of(answer) == (400, "VALIDATION_ERROR")


def test_failures_from_one_address_are_limited(
    alice: Membership, as_stranger: ApiClient, set_rate: SetRate
) -> None:
    set_rate("login", "2/15m")
    for name in ("ann", "ben"):
        sign_in(as_stranger, f"{name}@example.com", WRONG_PASSWORD)
    answer = sign_in(as_stranger, "cleo@example.com", WRONG_PASSWORD)
    assert code_of(answer) == (429, "AUTH_RATE_LIMIT")
    assert int(answer["Retry-After"]) > 0


def test_right_sign_ins_use_up_no_failures(
    alice: Membership, as_stranger: ApiClient, set_rate: SetRate
) -> None:
    set_rate("login", "1/15m")
    assert [sign_in(as_stranger).status_code for _ in range(3)] == [200, 200, 200]


def test_sign_in_is_refused_while_failures_cannot_be_counted(
    alice: Membership, as_stranger: ApiClient, broken_database: None
) -> None:
    assert code_of(sign_in(as_stranger)) == (503, "SERVICE_UNAVAILABLE")


def test_session_ends_thirty_days_after_sign_in(alice: Membership, as_stranger: ApiClient) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        sign_in(as_stranger)
        session = Session.objects.get()
        assert (session.expires_at - timezone.now()).days == 30
        assert session.last_seen_at == session.created_at == timezone.now()


def test_app_sign_in_ignores_a_cookie(alice: Membership, as_stranger: ApiClient) -> None:
    browser = token_of(sign_in(as_stranger))
    sign_in_app(as_stranger)
    assert me(browser).status_code == 200


def test_sign_in_after_a_team_was_closed_opens_the_next_team(
    alice: Membership, as_stranger: ApiClient
) -> None:
    other = make_member(make_team("Other"), "carol@example.com", Role.AGENT)
    second = Membership.objects.create(team=alice.team, user=other.user, role=Role.MANAGER)
    other.is_active = False
    other.save()
    data = sign_in(as_stranger, "carol@example.com").json()["data"]
    assert (data["user"]["team"]["id"], data["user"]["role"]) == (str(second.team_id), "manager")
