"""Refresh: a refresh token works once (RFC 9700, section 4.14.2; ASVS v5.0.0-10.4.5).

The session row is locked and what it says decides. Whatever is sent at once, one generation has
one successor; a request that was in flight when the rotation happened gets that same successor;
any later use of a used token is theft and ends all sessions of the user.
"""

import logging
import time
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError

from accounts.devices.trust import end_trust
from accounts.mails import TOKEN_REUSED
from accounts.models import Membership, RevokeReason, Session
from accounts.models.session import is_over
from accounts.sessions.sign_out import end_all_sessions
from accounts.sessions.token_ledger import record_issued, record_used
from accounts.sessions.tokens import AccessToken, RefreshToken
from crm.api.errors import InvalidRefreshToken
from crm.env import env
from security.events.collector import record_event
from security.events.types import EventType

logger = logging.getLogger(__name__)

# Tabs that wake up together send their refreshes within some milliseconds of each other, and
# threads note their arrival late when the interpreter is busy. Waiting before the decision counts
# all of them as "in flight" without ever accepting a token that comes after an answer was sent.
# docs/adr/0002-refresh-rotation.md has the measurement.
GATHER_SECONDS = 0.1


class Refreshed(NamedTuple):
    """The outcome of a refresh."""

    access_token: AccessToken
    raw_refresh_token: str
    refresh_expires_at: datetime


class _Verdict(Enum):
    ROTATE = "rotate"
    SAME_SUCCESSOR = "same successor"
    REFUSE = "refuse"
    THEFT = "theft"


def refresh_tokens(*, raw_token: str, arrived_at: float) -> Refreshed:
    """Return the next tokens for a refresh token that arrived at a POSIX time.

    Raises `InvalidRefreshToken` for anything that is no live session's token. On theft the
    sessions are ended, and that is committed, before the exception.
    """
    token = _read(raw_token)
    time.sleep(GATHER_SECONDS)
    with transaction.atomic():
        session = _lock_session(token)
        verdict = _judge(session, token, arrived_at=arrived_at)
        if session is not None and verdict is _Verdict.ROTATE:
            _rotate(session)
    if session is not None and verdict is _Verdict.THEFT:
        _end_stolen(session)
    if session is None or verdict in {_Verdict.REFUSE, _Verdict.THEFT}:
        raise InvalidRefreshToken
    record_event(
        EventType.TOKEN_REFRESHED,
        user_id=session.user_id,
        team_id=session.team_id,
        session_id=session.pk,
        generation=session.generation,
    )
    return Refreshed(
        access_token=AccessToken.for_session(session, team_id=session.team_id),
        raw_refresh_token=str(RefreshToken.of_generation(session)),
        refresh_expires_at=session.refresh_expires_at,
    )


def _read(raw_token: str) -> RefreshToken:
    try:
        token = RefreshToken(raw_token)  # type: ignore[arg-type]  # the stub wants a Token
        _ = token.session_id, token.user_id, token.generation
    except (TokenError, ValueError, AttributeError, TypeError) as error:
        raise InvalidRefreshToken from error
    return token


def _lock_session(token: RefreshToken) -> Any:
    """Return the session, locked, with its user and the member's role; None when there is none."""
    membership = Membership.objects.filter(
        user_id=OuterRef("user_id"),
        team_id=OuterRef("team_id"),
        is_active=True,
        team__is_active=True,
    )
    return (
        Session.objects.select_for_update(of=("self",))
        .select_related("user")
        .annotate(member_role=Subquery(membership.values("role")))
        .filter(pk=token.session_id, user_id=token.user_id)
        .first()
    )


def _judge(session: Any, token: RefreshToken, *, arrived_at: float) -> _Verdict:
    """Decide on what the locked row says. Ended sessions come first: a retry never revives one."""
    if session is None or not session.user.is_active or session.member_role is None:
        return _Verdict.REFUSE
    if is_over(
        revoked_at=session.revoked_at,
        expires_at=session.expires_at,
        last_seen_at=session.last_seen_at,
        now=timezone.now(),
    ):
        return _Verdict.REFUSE
    if token.generation == session.generation:
        return _Verdict.ROTATE if env.enable_token_rotation else _Verdict.SAME_SUCCESSOR
    if token.generation == session.generation - 1 and _was_in_flight(session, arrived_at):
        return _Verdict.SAME_SUCCESSOR
    return _Verdict.THEFT if env.enable_theft_detection else _Verdict.REFUSE


def _was_in_flight(session: Session, arrived_at: float) -> bool:
    rotated_at = session.rotated_at.timestamp()
    return arrived_at <= rotated_at + env.refresh_reuse_leeway.total_seconds()


def _rotate(session: Session) -> None:
    used = session.generation
    session.generation += 1
    session.rotated_at = session.last_seen_at = datetime.now(tz=UTC)
    session.save(update_fields=["generation", "rotated_at", "last_seen_at"])
    token = RefreshToken.of_generation(session)
    record_issued(session, token, str(token))
    record_used(session, used)


def _end_stolen(session: Session) -> None:
    with transaction.atomic():
        # Who copied the token may have copied what lay beside it.
        end_trust(user_id=session.user_id)
        count = end_all_sessions(user_id=session.user_id, reason=RevokeReason.TOKEN_REUSE)
        TOKEN_REUSED.queue(
            to=session.user.email,
            context={"first_name": session.user.first_name, "sessions_ended": count},
        )
    record_event(
        EventType.TOKEN_REUSED,
        user_id=session.user_id,
        team_id=session.team_id,
        session_id=session.pk,
        sessions_ended=count,
    )
    logger.warning("Refresh token of session %s reused: %d sessions ended", session.pk, count)
