"""A call that waits, for a hash or for a lock, while the session that makes it ends."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.factors.factor_changes import Kept
from accounts.factors.second_factor import (
    confirm_totp,
    disable_totp,
    replace_backup_codes,
    set_up_totp,
)
from accounts.models import Membership, RevokeReason, Session, TotpDevice, User
from accounts.passkeys.own_passkeys import remove_passkey
from accounts.passwords import changes as passwords
from accounts.passwords import policy
from accounts.sessions.sign_out import end_all_sessions, end_session, end_team_sessions
from accounts.tests.account_calls import change
from accounts.tests.calls import code_of, me
from accounts.tests.factories import PASSWORD, access_token, make_passkey, open_session
from accounts.tests.factors import App
from conftest import ApiClient
from crm.api.errors import SessionRevoked
from tests.threads import at_once

REVOKED = (401, "SESSION_REVOKED")


def end_everywhere(member: Membership) -> None:
    end_all_sessions(user_id=member.user_id, reason=RevokeReason.LOGOUT_ALL)


def end_one(member: Membership) -> None:
    (session,) = Session.objects.filter(user_id=member.user_id)
    end_session(session_id=session.pk, reason=RevokeReason.ENDED_BY_USER)


def remove_from_team(member: Membership) -> None:
    reason = RevokeReason.MEMBER_REMOVED
    end_team_sessions(user_id=member.user_id, team_id=member.team_id, reason=reason)


@pytest.mark.parametrize("end", [end_everywhere, end_one, remove_from_team])
def test_a_session_that_ended_changes_no_password(
    alice: Membership,
    as_alice: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[Membership], None],
) -> None:
    def end_before_it_is_hashed(*args: Any, **options: Any) -> Any:
        end(alice)
        return policy.hash_strong_password(*args, **options)

    monkeypatch.setattr(passwords, "hash_strong_password", end_before_it_is_hashed)
    assert code_of(change(as_alice)) == REVOKED
    alice.user.refresh_from_db()
    assert alice.user.check_password(PASSWORD)


def test_a_session_that_ended_changes_no_factor(alice: Membership) -> None:
    app, passkey = App(alice.user), make_passkey(alice.user)
    session = open_session(alice)
    end_everywhere(alice)
    options: dict[str, Any] = {"user_id": alice.user_id, "kept": Kept(session_id=session.pk)}
    for act in (
        lambda: set_up_totp(**options),
        lambda: confirm_totp(**options, code=app.code()),
        lambda: disable_totp(**options),
        lambda: replace_backup_codes(**options),
        lambda: remove_passkey(**options, passkey_id=passkey.pk),
    ):
        with pytest.raises(SessionRevoked):
            act()
    assert TotpDevice.objects.filter(user=alice.user, confirmed=True).exists()


@pytest.mark.django_db(transaction=True)
def test_of_eight_sessions_at_once_one_changes_the_password(alice: Membership) -> None:
    tokens = [access_token(alice) for _ in range(8)]
    new = [f"Sturdy-Plum-Song-{number}" for number in range(8)]
    statuses = at_once(8, lambda n: change(ApiClient(f"Bearer {tokens[n]}"), new[n]).status_code)
    assert sorted(statuses) == [200] + [401] * 7
    winner = statuses.index(200)
    assert User.objects.get(pk=alice.user_id).check_password(new[winner])
    alive = [number for number, token in enumerate(tokens) if me(token).status_code == 200]
    assert alive == [winner]
