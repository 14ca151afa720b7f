"""Ends of sessions: by their owner, by staff, by theft."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from rest_framework_simplejwt.exceptions import TokenError

from accounts.mailbox import one_time_tokens
from accounts.models import RevokeReason, Session, TokenPurpose, User
from accounts.sessions.admin_sessions import end_admin_sessions
from accounts.sessions.tokens import AccessToken, RefreshToken
from security.events.collector import record_event
from security.events.types import EventType

EVENT_OF_END: Mapping[RevokeReason, EventType] = {
    RevokeReason.LOGOUT: EventType.SESSION_SIGNED_OUT,
    RevokeReason.SIGNED_IN_AGAIN: EventType.SESSION_SIGNED_OUT,
    RevokeReason.LOGOUT_ALL: EventType.SESSION_ALL_SIGNED_OUT,
    RevokeReason.ENDED_BY_USER: EventType.SESSION_ENDED,
    RevokeReason.ENDED_BY_STAFF: EventType.SESSION_ENDED_BY_STAFF,
}


def end_session(*, session_id: uuid.UUID, reason: RevokeReason) -> bool:
    """End one session; return whether it was still open."""
    session = Session.objects.filter(pk=session_id)
    if not session.revoke(reason):
        return False
    user_id, team_id = session.values_list("user_id", "team_id").get()
    record_event(
        EVENT_OF_END[reason],
        user_id=user_id,
        team_id=team_id,
        session_id=session_id,
        reason=reason.value,
    )
    return True


def end_all_sessions(*, user_id: uuid.UUID, reason: RevokeReason) -> int:
    """End every session of a user; return how many were open.

    So does a link to a new address that was mailed from one of them: whoever is thrown out with the
    rest must not take the account along.
    """
    with transaction.atomic():
        count = _end_in_order(Session.objects.filter(user_id=user_id), reason)
        one_time_tokens.revoke(user_id=user_id, purposes=[TokenPurpose.CHANGE_EMAIL])
    # A theft has an event of its own; a call of staff that ended nothing has none.
    if reason is RevokeReason.LOGOUT_ALL or (reason is RevokeReason.ENDED_BY_STAFF and count):
        record_event(EVENT_OF_END[reason], user_id=user_id, sessions_ended=count)
    return count


def end_other_sessions(
    *, user_id: uuid.UUID, kept_id: uuid.UUID | None, reason: RevokeReason
) -> int:
    """End every session of a user but one; return how many were open."""
    return _end_in_order(Session.objects.filter(user_id=user_id).exclude(pk=kept_id), reason)


def end_team_sessions(*, user_id: uuid.UUID, team_id: uuid.UUID, reason: RevokeReason) -> int:
    """End a user's sessions that work in one team; return how many were open."""
    return _end_in_order(Session.objects.filter(user_id=user_id, team_id=team_id), reason)


def _end_in_order(sessions: Any, reason: RevokeReason) -> int:
    """End sessions, locked in one order: two calls at once wait instead of deadlocking."""
    with transaction.atomic():
        open_sessions = sessions.filter(revoked_at=None).select_for_update().order_by("pk")
        locked = list(open_sessions.values_list("pk", flat=True))
        return int(Session.objects.filter(pk__in=locked).revoke(reason))


def end_own_session(*, user_id: uuid.UUID, session_id: uuid.UUID) -> bool:
    """End a session in its owner's list; False when the user has no such open session."""
    mine = Session.objects.live().filter(user_id=user_id, pk=session_id)
    return mine.exists() and end_session(session_id=session_id, reason=RevokeReason.ENDED_BY_USER)


def end_session_of_token(raw_token: str, *, reason: RevokeReason) -> None:
    """End the session that a refresh or access token names; a forged token ends nothing.

    An expired token still names its session: signing out late is signing out.
    """
    for token_class in (RefreshToken, AccessToken):
        try:
            token = token_class(raw_token, verify=False)  # type: ignore[arg-type]
            token.verify_token_type()
            session_id = token.session_id
        except (TokenError, ValueError, AttributeError, TypeError):
            continue
        end_session(session_id=session_id, reason=reason)


def end_sessions_by_staff(user: User, *, kept_admin_session: str | None = None) -> int:
    """End every session of a user on behalf of staff or an operator; return how many were open.

    Sessions in the admin end as well, but for `kept_admin_session`, a key as the cookie holds it.
    """
    with transaction.atomic():
        count = end_all_sessions(user_id=user.pk, reason=RevokeReason.ENDED_BY_STAFF)
        return count + end_admin_sessions(user_id=user.pk, kept_key=kept_admin_session)
