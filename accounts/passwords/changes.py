"""New passwords: set by their owner, by a mailed link, by staff or on the shell."""

import uuid
from collections.abc import Collection

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request

from accounts.devices.known_devices import revoke_all_devices
from accounts.devices.trust import end_trust
from accounts.guards.password_check import check_password, record_about, unlock_account
from accounts.mailbox import one_time_tokens
from accounts.mailbox.email_addresses import mark_verified
from accounts.mailbox.mailed_links import judge_link, used_up
from accounts.mails import PASSWORD_CHANGED
from accounts.models import RevokeReason, TokenPurpose, User
from accounts.passwords.hashed_password import HashedPassword, hash_password
from accounts.passwords.history import remember_password
from accounts.passwords.policy import hash_strong_password
from accounts.sessions.admin_sessions import end_admin_sessions
from accounts.sessions.live_session import require_live_session
from accounts.sessions.sign_out import end_other_sessions, end_sessions_by_staff
from crm.api.errors import InvalidCredentials
from crm.mail import app_link
from security.events.collector import record_event
from security.events.types import EventType
from security.rate_limits.exact import count_call
from security.rate_limits.identity import session_value
from security.request.actors import Actor

NEW_PASSWORDS = "new_passwords"
FIELD = "newPassword"


def change_password(*, request: Request, actor: Actor, current: str, new: str) -> int:
    """Replace one's own password; return how many other sessions ended. This one stays.

    API keys stay too: they are no password's. Raises `WeakPassword` with every problem,
    `AuthRateLimited`, `SessionRevoked` when this session ended meanwhile, and what `check_password`
    raises for a wrong present one.
    """
    user = check_password(
        request=request._request, email=actor.label, password=current, session_id=actor.session_id
    )
    if user.pk != actor.user_id:
        # The address became somebody else's between authentication and here.
        raise InvalidCredentials
    session_id = actor.own_session_id
    hashed = _judge(request, user, new, counted=session_value(actor))
    with transaction.atomic():
        # SECURITY: a reset that came in between must not be undone by whoever knows the old one.
        locked = _locked(user.pk)
        if locked.password_changed_at != user.password_changed_at:
            raise InvalidCredentials
        require_live_session(user_id=user.pk, session_id=session_id)
        _replace(user, hashed, present=locked.password, ended_links=[TokenPurpose.CHANGE_EMAIL])
        count = _end_access(user, kept_session=session_id)
        _tell(user)
    record_event(EventType.PASSWORD_CHANGED, sessions_ended=count)
    return count


def reset_password(*, request: Request, raw_token: str, new: str) -> None:
    """Set a password by a mailed link. Every session ends, every device is a stranger, no lock is
    left; nobody is signed in.

    Second factors stay (ASVS v5.0.0-6.4.3). A password that is refused does not use the link up.
    Raises `LinkRefused`, `WeakPassword` with every problem, and `AuthRateLimited`.
    """
    token = judge_link(request, raw_token, TokenPurpose.RESET_PASSWORD)
    hashed = _judge(request, token.user, new, counted=f"link:{token.pk}")
    with used_up(token) as user:
        _replace(user, hashed, present=user.password)
        # Who followed the link reads the mail of this address.
        mark_verified(user)
        count = _end_access(user)
        revoke_all_devices(user_id=user.pk)
        _tell(user)
    record_about(EventType.PASSWORD_RESET, user.email, sessions_ended=count)
    unlock_account(user.email)


@transaction.atomic
def replace_password(
    *, user: User, password: str | None, kept_admin_session: str | None = None
) -> None:
    """Set a password that was judged, or none; end the user's sessions and forget their devices.

    ASVS v5.0.0-7.4.3. `kept_admin_session` is the key of the admin session in which staff change
    their own.
    """
    set_password(user, password)
    record_event(EventType.PASSWORD_CHANGED, user_id=user.pk)
    end_sessions_by_staff(user, kept_admin_session=kept_admin_session)
    revoke_all_devices(user_id=user.pk)
    _tell(user)


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
        present = _locked(user.pk).password
        hashed = None if password is None else hash_password(password, present=present)
        _replace(user, hashed, present=present)


def _replace(
    user: User,
    hashed: HashedPassword | None,
    *,
    present: str,
    ended_links: Collection[TokenPurpose] = (
        TokenPurpose.RESET_PASSWORD,
        TokenPurpose.CHANGE_EMAIL,
    ),
) -> None:
    """Put another hash, or none, into the place of `present`, which is read from the locked row.

    SECURITY: `change_password` leaves the links that reset the password. They lie in the owner's
    mailbox, and a thief who changes the password again and again would end each of them.

    A hash from judging is stored as it is, also where a sign-in has meanwhile hashed the present
    password anew: that one, of another salt, is then verified by itself.
    """
    user.password = present
    remember_password(user)
    user.password = make_password(None) if hashed is None else hashed.encoded
    user.password_changed_at = timezone.now()
    user.save(update_fields=["password", "password_changed_at"])
    # SECURITY: a link to another address must not outlive the owner's new password.
    one_time_tokens.revoke(user_id=user.pk, purposes=ended_links)
    end_trust(user_id=user.pk)


def _judge(request: Request, user: User, password: str, *, counted: str) -> HashedPassword:
    """Return a good new password as it is stored, the one hash that it costs.

    Raises `WeakPassword` for a bad one, `AuthRateLimited` for too many of any kind. Outside a
    transaction: a breach list may take a second.

    SECURITY: `counted` is the session or the link, never the user: who is signed in with a stolen
    password would otherwise use up the tries of its owner, who sets a new one by a link.
    """
    count_call(NEW_PASSWORDS, request, value=counted)
    return hash_strong_password(password, user=user, field=FIELD)


def _locked(user_id: uuid.UUID) -> User:
    """Return what is stored now, locked: whoever changes a password or address does that first."""
    users = User.objects.select_for_update(no_key=True)
    return users.only("pk", "password", "password_changed_at").get(pk=user_id)


def _end_access(user: User, *, kept_session: uuid.UUID | None = None) -> int:
    """End all sessions but one, those in the admin too; return how many (ASVS v5.0.0-7.4.3)."""
    count = end_other_sessions(
        user_id=user.pk, kept_id=kept_session, reason=RevokeReason.PASSWORD_CHANGED
    )
    return count + end_admin_sessions(user_id=user.pk)


def _tell(user: User) -> None:
    """Queue the mail about a new password (ASVS v5.0.0-6.3.7)."""
    context = {"first_name": user.first_name, "link": app_link("/forgot-password")}
    PASSWORD_CHANGED.queue(to=user.email, context=context)
