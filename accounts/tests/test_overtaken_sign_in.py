"""What changes between the judgement of a sign-in and its session leaves no session behind."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.http import HttpRequest
from django.test import Client

from accounts.factors.factor_changes import NOTHING
from accounts.factors.second_factor import confirm_totp, replace_backup_codes
from accounts.models import BackupCode, Device, Membership, Session, Team, User
from accounts.sessions import session_start
from accounts.sign_in import passkey_sign_in, second_step
from accounts.sign_in import password_sign_in as flow
from accounts.team.members import MemberChange, change_member
from accounts.tests.calls import code_of, sign_in
from accounts.tests.factories import access_token, make_team, make_user
from accounts.tests.factors import App, pending_token, verify
from conftest import ApiClient
from security.access.roles import Role
from staff.sign_in import stage as admin_stage
from staff.tests.admin_calls import page, sign_in_to_admin

OVERTAKEN = (401, "INVALID_CREDENTIALS")
Overtake = Callable[[Callable[[], object]], None]


@pytest.fixture
def just_before_the_session(monkeypatch: pytest.MonkeyPatch) -> Overtake:
    """Have something happen once when all is judged, and the session is not open yet."""

    def overtake(happen: Callable[[], object]) -> None:
        start_session = session_start.start_session

        def start_late(**facts: Any) -> Any:
            happen()
            return start_session(**facts)

        for module in (flow, second_step, passkey_sign_in):
            monkeypatch.setattr(module, "start_session", start_late)

    return overtake


def test_a_factor_that_was_confirmed_meanwhile_is_not_left_out(
    alice: Membership, just_before_the_session: Overtake
) -> None:
    app = App(alice.user, confirmed=False)
    just_before_the_session(
        lambda: confirm_totp(user_id=alice.user_id, code=app.code(), kept=NOTHING)
    )
    assert code_of(sign_in(ApiClient())) == OVERTAKEN
    assert not Session.objects.exists()
    assert not Device.objects.exists()


@pytest.mark.parametrize("in_two_steps", [False, True])
def test_codes_that_were_replaced_meanwhile_open_nothing(
    alice: Membership, just_before_the_session: Overtake, in_two_steps: bool
) -> None:
    app = App(alice.user)
    app.backup_codes()
    just_before_the_session(lambda: replace_backup_codes(user_id=alice.user_id, kept=NOTHING))
    if in_two_steps:
        answer = verify(ApiClient(), pending_token(ApiClient()), app.code(), rememberDevice=True)
    else:
        answer = sign_in(ApiClient(), totpCode=app.code(), rememberDevice=True)
    assert code_of(answer) == OVERTAKEN
    assert not Session.objects.exists()
    assert not Device.objects.exists()


def deactivate_member(alice: Membership) -> None:
    change_member(team_id=alice.team_id, member_id=alice.pk, change=MemberChange(is_active=False))


def remove_member(alice: Membership) -> None:
    Membership.objects.filter(pk=alice.pk).delete()


def deactivate_team(alice: Membership) -> None:
    Team.objects.filter(pk=alice.team_id).update(is_active=False)


def deactivate_user(alice: Membership) -> None:
    User.objects.filter(pk=alice.user_id).update(is_active=False)


@pytest.mark.parametrize(
    "take_away", [deactivate_member, remove_member, deactivate_team, deactivate_user]
)
def test_who_lost_access_meanwhile_gets_no_session_that_could_come_to_life(
    alice: Membership,
    bob: Membership,
    just_before_the_session: Overtake,
    take_away: Callable[[Membership], None],
) -> None:
    Membership.objects.filter(pk=bob.pk).update(role=Role.ADMIN)
    just_before_the_session(lambda: take_away(alice))
    assert code_of(sign_in(ApiClient())) == OVERTAKEN
    assert not Session.objects.exists()


def test_a_pending_sign_in_uses_one_backup_code_whatever_is_sent_at_once(
    alice: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second code arrives when the first one is used up, and no session is open yet."""
    app = App(alice.user)
    first, second, *_ = app.backup_codes()
    token = pending_token(ApiClient())
    answers: list[Any] = []
    start_session = session_start.start_session

    def start_late(**facts: Any) -> Any:
        if not answers:
            answers.append(verify(ApiClient(), token, second))
        return start_session(**facts)

    monkeypatch.setattr(second_step, "start_session", start_late)
    assert verify(ApiClient(), token, first).status_code == 200
    assert code_of(answers[0]) == (401, "INVALID_TOKEN")
    assert BackupCode.objects.filter(used_at=None).count() == 9


def change_and_commit_late(change: Callable[[], object]) -> Thread:
    """Change something in another connection, which commits when somebody waits for its lock."""
    changed = Event()

    def run() -> None:
        try:
            with transaction.atomic():
                change()
                changed.set()
                _wait_for_a_waiter()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    assert changed.wait(timeout=20)
    return thread


def _wait_for_a_waiter() -> None:
    until = time.monotonic() + 5
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)


def test_a_sign_in_to_the_admin_judged_by_other_factors_opens_nothing(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app is confirmed when the password was judged; the session is stored after that."""
    staff = make_user("staff@example.com", is_staff=True, is_superuser=True)
    app, begin, browser = App(staff, confirmed=False), admin_stage.begin, Client()

    def begin_late(request: HttpRequest) -> None:
        begin(request)
        confirm_totp(user_id=staff.pk, code=app.code(), kept=NOTHING)

    monkeypatch.setattr(admin_stage, "begin", begin_late)
    assert sign_in_to_admin(browser).status_code == 302
    assert browser.get(page("confirm_identity"))["Location"].startswith(page("login"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["factors", "membership"])
def test_a_sign_in_waits_for_a_change_that_is_not_committed_yet(
    alice: Membership, bob: Membership, just_before_the_session: Overtake, what: str
) -> None:
    app = App(bob.user, confirmed=False)
    inactive = MemberChange(is_active=False)
    changes: dict[str, Callable[[], object]] = {
        "factors": lambda: confirm_totp(user_id=bob.user_id, code=app.code(), kept=NOTHING),
        "membership": lambda: change_member(team_id=bob.team_id, member_id=bob.pk, change=inactive),
    }
    running: list[Thread] = []
    just_before_the_session(lambda: running.append(change_and_commit_late(changes[what])))
    assert code_of(sign_in(ApiClient(), "bob@example.com")) == OVERTAKEN
    running[0].join(timeout=20)
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_session_does_not_move_into_a_team_that_lets_its_owner_go(
    alice: Membership, bob: Membership
) -> None:
    elsewhere = Membership.objects.create(team=make_team("Second"), user=bob.user)
    as_bob = ApiClient(f"Bearer {access_token(elsewhere)}")
    running = change_and_commit_late(
        lambda: change_member(
            team_id=bob.team_id, member_id=bob.pk, change=MemberChange(is_active=False)
        )
    )
    answer = as_bob.post_json("/v1/auth/switch-team", {"teamId": str(bob.team_id)})
    running.join(timeout=20)
    assert code_of(answer) == (404, "NOT_FOUND")
    assert Session.objects.get().team_id == elsewhere.team_id
