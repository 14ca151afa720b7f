"""New passwords."""

from django.db import transaction

from accounts.flows.sign_out import end_sessions_by_staff
from accounts.models import User
from security.events.collector import record_event
from security.events.types import EventType


@transaction.atomic
def replace_password(
    *, user: User, password: str | None, kept_admin_session: str | None = None
) -> None:
    """Set a password that was validated, or none, and end the user's sessions (v5.0.0-7.4.3).

    `kept_admin_session` is the key of the admin session in which staff change their own.
    """
    user.set_password(password)
    user.save(update_fields=["password"])
    record_event(EventType.PASSWORD_CHANGED, user_id=user.pk)
    end_sessions_by_staff(user, kept_admin_session=kept_admin_session)
