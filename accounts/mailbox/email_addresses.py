"""Proving that an address is one's own, and changing it."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request

from accounts.guards.password_check import record_about
from accounts.jobs import mail_email_change
from accounts.mailbox import one_time_tokens
from accounts.mailbox.mail_requests import FROM_ADDRESS, TO_ACCOUNT
from accounts.mailbox.mailed_links import LinkRefused, judge_link, used_up
from accounts.mails import EMAIL_CHANGE_REQUESTED, EMAIL_CHANGED, WELCOME
from accounts.models import OneTimeToken, TokenPurpose, User
from crm.api.errors import ValidationFailed
from crm.mail import app_link
from security.events.collector import record_event
from security.events.types import EventType
from security.new_addresses import require_new_address
from security.rate_limits.exact import count_call
from security.request.actors import Actor

SAME = "This is your address already."


def verify_address(*, request: Request, raw_token: str) -> None:
    """Take a mailed token as proof of an address, that of the account or a new one.

    Raises `LinkRefused` and `AuthRateLimited`.
    """
    token = judge_link(request, raw_token, TokenPurpose.VERIFY_EMAIL, TokenPurpose.CHANGE_EMAIL)
    if token.purpose == TokenPurpose.CHANGE_EMAIL:
        _change_address(token)
        return
    with used_up(token) as user:
        mark_verified(user)
        WELCOME.queue(to=user.email, context={"link": app_link("/sign-in")})
    record_about(EventType.EMAIL_VERIFIED, user.email)


def mark_verified(user: User) -> None:
    """Note that somebody proved to read the mail of the account's address."""
    if user.email_verified_at is None:
        user.email_verified_at = timezone.now()
        user.save(update_fields=["email_verified_at"])


@transaction.atomic
def replace_address(user: User, *, old_email: str) -> None:
    """Save a user's new address, which was proved or is vouched for; tell the old one.

    Every link that was mailed before works no more.
    """
    user.email_verified_at = timezone.now()
    user.save(update_fields=["email", "email_verified_at"])
    one_time_tokens.revoke(user_id=user.pk, purposes=tuple(TokenPurpose))
    context = {"first_name": user.first_name, "new_email": user.email}
    EMAIL_CHANGED.queue(to=old_email, context=context)
    record_about(EventType.EMAIL_CHANGED, user.email, old_email=old_email)


def request_address_change(*, request: Request, actor: Actor, new_email: str) -> None:
    """Mail a link to the new address and a word to the present one. Nothing changes yet.

    An address that is taken answers the same and gets no mail. Raises `ValidationFailed` for the
    present address and for one that no account may have, and `AuthRateLimited`.
    """
    address = require_new_address(new_email, field="newEmail")
    user = User.objects.get(pk=actor.user_id)
    if address == user.email:
        raise ValidationFailed(details={"newEmail": [SAME]})
    count_call(FROM_ADDRESS, request)
    count_call(TO_ACCOUNT, request, value=f"change:{user.pk}")
    context = {"first_name": user.first_name, "new_email": address}
    with transaction.atomic():
        session_id = str(actor.own_session_id)
        mail_email_change.queue(user_id=str(user.pk), session_id=session_id, email=address)
        EMAIL_CHANGE_REQUESTED.queue(to=user.email, context=context)
    record_event(EventType.EMAIL_CHANGE_REQUESTED, new_email=address)


def _change_address(token: OneTimeToken) -> None:
    """Make the new address the account's."""
    try:
        with used_up(token) as user:
            old_email, user.email = user.email, token.email
            replace_address(user, old_email=old_email)
    except IntegrityError as error:
        # Somebody else took the address since the link was mailed.
        raise LinkRefused from error
