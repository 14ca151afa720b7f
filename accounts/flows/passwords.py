"""New passwords."""

import uuid

from django.db import transaction
from django.utils import timezone

from accounts.flows.sign_out import end_sessions_by_staff
from accounts.models import User
from accounts.passwords.history import remember_password
from security.events.collector import record_event
from security.events.types import EventType


def set_password(user: User, password: str | None) -> None:
    """Give a user a password that was judged, or none, and save it; a new user is saved whole.

    The one before joins the last ones, which are not to come back. Ends no session.
    """
    with transaction.atomic():
        if user._state.adding:
            user.set_password(password)
            user.password_changed_at = timezone.now()
            user.save()
            return
        # What another change left meanwhile is what is remembered.
        user.password = _locked(user.pk).password
        remember_password(user)
        user.set_password(password)
        user.password_changed_at = timezone.now()
        user.save(update_fields=["password", "password_changed_at"])


def _locked(user_id: uuid.UUID) -> User:
    return User.objects.select_for_update().only("pk", "password").get(pk=user_id)


@transaction.atomic
def replace_password(
    *, user: User, password: str | None, kept_admin_session: str | None = None
) -> None:
    """Set a password that was judged, or none, and end the user's sessions (v5.0.0-7.4.3).

    `kept_admin_session` is the key of the admin session in which staff change their own.
    """
    set_password(user, password)
    record_event(EventType.PASSWORD_CHANGED, user_id=user.pk)
    end_sessions_by_staff(user, kept_admin_session=kept_admin_session)
