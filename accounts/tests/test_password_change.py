"""Changing one's own password, and passwords that are too old (ASVS v5.0.0-6.2.2, 6.2.3, 7.4.3)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.test import Client
from django.utils import timezone

from accounts.mailbox.one_time_tokens import issue
from accounts.models import Membership, Session, Team, TokenPurpose, User
from accounts.passwords import changes as passwords
from accounts.tests.account_calls import (
    NEW_PASSWORD,
    change,
    mails_to,
    reset,
    reset_token,
    verify,
)
from accounts.tests.calls import WRONG_PASSWORD, code_of, me, refresh, sign_in, token_of
from accounts.tests.factories import PASSWORD, access_token
from conftest import ApiClient
from security.events.types import EventType
from security.tests.counters import SetRate
from security.tests.events import stored_events
from staff.tests.admin_calls import page

RunJobs = Callable[[], list[str]]
DEMANDED = (403, "PASSWORD_CHANGE_REQUIRED")


def test_a_change_keeps_this_session_and_ends_the_others(
    alice: Membership, as_key: ApiClient, run_jobs: RunJobs
) -> None:
    here, other = ApiClient(), access_token(alice)
    signed_in = ApiClient(f"Bearer {token_of(sign_in(here))}")
    assert change(signed_in).json()["data"] == {"sessionsEnded": 1}
    assert signed_in.get("/v1/auth/me").status_code == 200
    assert refresh(here).status_code == 200
    assert code_of(me(other)) == (401, "SESSION_REVOKED")
    assert as_key.get("/v1/clients").status_code == 200
    assert sign_in(ApiClient()).status_code == 401
    assert sign_in(ApiClient(), password=NEW_PASSWORD).status_code == 200
    run_jobs()
    assert "Your password was changed" in mails_to("alice@example.com")
    (event,) = stored_events(EventType.PASSWORD_CHANGED)
    assert (event.user_id, event.metadata) == (alice.user_id, {"sessions_ended": 1})


def test_a_change_needs_a_fresh_sign_in(as_alice: ApiClient) -> None:
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    assert code_of(change(as_alice)) == (403, "REAUTHENTICATION_REQUIRED")


def test_a_wrong_present_password_counts_in_the_one_guard(
    alice: Membership, as_alice: ApiClient
) -> None:
    answers = [change(as_alice, current=WRONG_PASSWORD) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [423]
    assert code_of(sign_in(ApiClient())) == (423, "ACCOUNT_LOCKED")
    assert me(access_token(alice)).status_code == 200


def test_a_weak_or_known_password_is_refused_with_every_reason(as_alice: ApiClient) -> None:
    weak = change(as_alice, "short")
    assert code_of(weak) == (400, "WEAK_PASSWORD")
    assert len(weak.json()["error"]["details"]["newPassword"]) == 4
    assert code_of(change(as_alice, PASSWORD)) == (400, "WEAK_PASSWORD")
    assert code_of(change(as_alice, "x" * 1025)) == (400, "VALIDATION_ERROR")


def test_a_caller_tries_so_many_passwords(as_alice: ApiClient, set_rate: SetRate) -> None:
    set_rate("new_passwords", "1/15m")
    assert [change(as_alice, "short").status_code for _ in range(2)] == [400, 429]


def test_a_change_ends_a_link_to_another_address_and_leaves_the_owners_way_back(
    alice: Membership, as_alice: ApiClient
) -> None:
    by_mail = reset_token(alice.user)
    elsewhere = issue(
        user_id=alice.user_id, purpose=TokenPurpose.CHANGE_EMAIL, email="thief@example.com"
    )
    assert change(as_alice).status_code == 200
    assert verify(elsewhere).status_code == 400
    assert reset(by_mail, "Another-Plum-Song-9").status_code == 200


def test_a_change_does_not_undo_a_reset_that_was_faster(
    alice: Membership, as_alice: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = reset_token(alice.user)

    def let_a_reset_pass(*args: object, **options: object) -> None:
        monkeypatch.undo()
        assert reset(token, "Another-Plum-Song-9").status_code == 200

    monkeypatch.setattr(passwords, "hash_strong_password", let_a_reset_pass)
    assert code_of(change(as_alice)) == (401, "INVALID_CREDENTIALS")
    alice.user.refresh_from_db()
    assert alice.user.check_password("Another-Plum-Song-9")


def test_a_sign_in_judged_by_the_old_password_opens_nothing(
    alice: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password changes after it was judged, and before the session is opened."""
    verify_password = hashers.verify_password

    def verify_late(*args: Any, **options: Any) -> Any:
        judged = verify_password(*args, **options)
        User.objects.filter(pk=alice.user_id).update(password_changed_at=timezone.now())
        return judged

    monkeypatch.setattr(hashers, "verify_password", verify_late)
    assert code_of(sign_in(ApiClient())) == (401, "INVALID_CREDENTIALS")
    assert not Session.objects.exists()


def age_passwords(*, days: int, team_allows: int | None = 90) -> None:
    User.objects.update(password_changed_at=timezone.now() - timedelta(days=days))
    Team.objects.update(password_max_age_days=team_allows)


def test_an_old_password_opens_its_own_change_and_nothing_else(as_alice: ApiClient) -> None:
    age_passwords(days=90)
    for path in ("/v1/clients", "/v1/api-keys", "/v1/audit-logs", "/v1/security/events"):
        assert code_of(as_alice.get(path)) == DEMANDED
    assert code_of(as_alice.post_json("/v1/clients", {"firstName": "Ada"})) == DEMANDED
    for path in ("me", "sessions", "events", "devices"):
        assert as_alice.get(f"/v1/auth/{path}").status_code == 200
    assert change(as_alice).status_code == 200
    assert as_alice.get("/v1/clients").status_code == 200


@pytest.mark.parametrize(("days", "team_allows"), [(89, 90), (10_000, None)])
def test_a_password_in_time_is_asked_for_nothing(
    as_alice: ApiClient, days: int, team_allows: int | None
) -> None:
    age_passwords(days=days, team_allows=team_allows)
    assert as_alice.get("/v1/clients").status_code == 200


def test_keys_and_people_without_a_password_have_none_to_change(
    as_key: ApiClient, as_bob: ApiClient, bob: Membership
) -> None:
    age_passwords(days=90)
    bob.user.set_unusable_password()
    User.objects.filter(pk=bob.user_id).update(password=bob.user.password)
    assert as_key.get("/v1/clients").status_code == 200
    assert as_bob.get("/v1/clients").status_code == 200


def test_a_demand_is_recorded(as_alice: ApiClient, alice: Membership) -> None:
    age_passwords(days=90)
    as_alice.get("/v1/clients")
    (event,) = stored_events(EventType.PASSWORD_CHANGE_DEMANDED)
    assert event.user_id == alice.user_id


def test_staff_say_how_long_a_teams_passwords_last(as_staff: Client, team_a: Team) -> None:
    form = {"name": team_a.name, "is_active": "on", "password_max_age_days": "30"}
    inline = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    answer = as_staff.post(page("accounts_team_change", team_a.pk), {**form, **inline})
    assert answer.status_code == 302
    team_a.refresh_from_db()
    assert team_a.password_max_age_days == 30
