"""What follows from every change of a factor."""

import uuid
from typing import Any, Final, NamedTuple

from django.db.models import F

from accounts.devices.trust import end_trust, note_second_factor
from accounts.factors.state import PASSKEY, TOTP, factors_of
from accounts.mails import BACKUP_CODES_REPLACED, FACTOR_ADDED, FACTOR_REMOVED
from accounts.models import RevokeReason, Session, User
from accounts.sessions.admin_sessions import end_admin_sessions
from accounts.sessions.sign_out import end_other_sessions
from security.events.collector import record_event
from security.events.types import EventType


class Kept(NamedTuple):
    """Where a change is made from: what does not end by it."""

    session_id: uuid.UUID | None = None
    admin_key: str | None = None


NOTHING = Kept()
_MAILS: Final = {
    EventType.MFA_ENABLED: FACTOR_ADDED,
    EventType.MFA_DISABLED: FACTOR_REMOVED,
    EventType.MFA_RESET: FACTOR_REMOVED,
    EventType.BACKUP_CODES_REPLACED: BACKUP_CODES_REPLACED,
}
EVERY: Final = "every"
_NAMES: Final = {TOTP: "an authenticator app", PASSKEY: "a passkey", EVERY: "every second factor"}


def factors_changed(event_type: EventType, *, user: User, kept: Kept, **facts: Any) -> None:
    """Record a change of the user's factors and tell them by mail.

    Their other sessions and the trust in devices end (ASVS v5.0.0-7.4.3). Belongs into the
    transaction of the change, which holds the lock on the user's row.
    """
    # SECURITY: a sign-in that was judged by the factors before opens no session any more.
    User.objects.filter(pk=user.pk).update(factors_version=F("factors_version") + 1)
    ended = end_other_sessions(
        user_id=user.pk, kept_id=kept.session_id, reason=RevokeReason.FACTOR_CHANGED
    )
    end_admin_sessions(user_id=user.pk, kept_key=kept.admin_key)
    end_trust(user_id=user.pk)
    if event_type is EventType.MFA_ENABLED and kept.session_id is not None:
        _note_where_it_was_proved(user, kept.session_id)
    record_event(event_type, user_id=user.pk, sessions_ended=ended, **facts)
    _MAILS[event_type].queue(
        to=user.email,
        context={"first_name": user.first_name, "factor": _NAMES.get(facts.get("method", ""), "")},
    )


def _note_where_it_was_proved(user: User, session_id: uuid.UUID) -> None:
    """Count the wrong codes of the device apart that has just shown the new factor; no others."""
    device_id = Session.objects.filter(pk=session_id).values_list("device_id", flat=True).first()
    if device_id is not None:
        factors = factors_of(user.pk).fingerprint
        note_second_factor(user=user, device_id=device_id, factors=factors, is_trusted=False)
