"""Background jobs about accounts; crm/schedule.py says when the periodic ones run.

A token is made inside the job that mails it, so that no queue ever holds one. A job that runs twice
mails a second token, and the newest works. `mail_place` bounds what an address gets of invitations
and of links that verify it: a mail that is held back makes no token, so that the last one mailed
goes on working. Resets are bounded where they are asked for (accounts.mailbox.mail_requests).
"""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import upkeep
from accounts.devices.upkeep import delete_old_devices
from accounts.mailbox.one_time_tokens import issue, new_token
from accounts.mailbox.owner_notices import announce_devices, announce_locks
from accounts.mails import (
    ALREADY_REGISTERED,
    EMAIL_CHANGE,
    INVITATION,
    PASSWORD_RESET,
    VERIFY_EMAIL,
)
from accounts.models import Invitation, Session, TokenPurpose, User
from crm.jobs import job, team_job
from crm.mail import app_link
from security.rate_limits.recipients import mail_place


@team_job(retry=True)
def send_invitation(*, team_id: UUID, invitation_id: str) -> None:
    """Mail an invitation with its token, which is made here and lies in no queue.

    Nothing is written, and so no row locked, until the mail is out: a mail server that hangs keeps
    no team from its members. A run that dies before leaves a token that opens nothing.
    """
    waiting = Invitation.objects.for_team(team_id).pending().filter(pk=invitation_id, sent_at=None)
    invitation = waiting.select_related("team", "invited_by").first()
    if invitation is None or invitation.invited_by is None:
        return
    with mail_place(INVITATION.name, invitation.email) as free_at:
        if free_at is not None:
            # SECURITY: held back, not dropped: else who invites an address first, again and again,
            # keeps another team's invitation from it.
            send_invitation.queue_at(free_at, team_id=team_id, invitation_id=invitation_id)
            return
        token_hash = _deliver(invitation, invitation.invited_by)
    waiting.update(token_hash=token_hash, sent_at=timezone.now())


def _deliver(invitation: Invitation, inviter: User) -> str:
    """Mail a new token; return its hash."""
    raw_token, token_hash = new_token()
    INVITATION.deliver(
        to=invitation.email,
        context={
            "team": invitation.team.name,
            "inviter": f"{inviter.first_name} {inviter.last_name}".strip(),
            "inviter_email": inviter.email,
            "link": app_link("/accept-invitation", token=raw_token),
        },
    )
    return token_hash


@job
def delete_old_sign_ins() -> None:
    """Delete sessions, tokens of the ledger and admin sessions that ended long ago."""
    upkeep.delete_ended_sessions()
    upkeep.delete_expired_tokens()
    upkeep.delete_expired_admin_sessions()


@job
def tell_owners() -> None:
    """Mail people about locks and new devices of their accounts."""
    announce_locks()
    announce_devices()


@job
def prune_devices() -> None:
    """Delete devices and locks that mean nothing any more."""
    delete_old_devices()


@job(retry=True)
def mail_already_registered(*, email: str) -> None:
    """Tell the owner of an address that somebody registered it, at most once a day."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        return
    links = {"sign_in": app_link("/sign-in"), "link": app_link("/forgot-password")}
    day = timezone.now().date().isoformat()
    ALREADY_REGISTERED.deliver(to=email, context=links, key=f"already-registered:{user.pk}:{day}")


@job(retry=True)
def mail_verification(*, email: str) -> None:
    """Mail a link to the owner of an address who has not proved it yet."""
    user = User.objects.filter(email=email, is_active=True, email_verified_at=None).first()
    if user is None:
        return
    with mail_place(VERIFY_EMAIL.name, email) as free_at:
        if free_at is None:
            token = issue(user_id=user.pk, purpose=TokenPurpose.VERIFY_EMAIL, email=email)
            link = app_link("/verify-email", token=token)
            VERIFY_EMAIL.deliver(to=email, context={"link": link})


@job(retry=True)
def mail_password_reset(*, email: str) -> None:
    """Mail a link to the owner of an address who has a password to forget."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None or not user.has_usable_password():
        return
    token = issue(user_id=user.pk, purpose=TokenPurpose.RESET_PASSWORD, email=email)
    link = app_link("/reset-password", token=token)
    PASSWORD_RESET.deliver(to=email, context={"first_name": user.first_name, "link": link})


@job(retry=True)
def mail_email_change(*, user_id: str, session_id: str, email: str) -> None:
    """Mail a link to an address that somebody wants for theirs; not to one that is taken.

    SECURITY: only while the session lives from which it was asked for. A mail that waits for its
    server must not hand the account to a thief whom the owner has thrown out meanwhile.
    """
    with mail_place(EMAIL_CHANGE.name, email) as free_at:
        token = _change_token(UUID(user_id), UUID(session_id), email) if free_at is None else None
        if token is not None:
            link = app_link("/verify-email", token=token)
            EMAIL_CHANGE.deliver(to=email, context={"link": link})


def _change_token(user_id: UUID, session_id: UUID, email: str) -> str | None:
    """Return a token that changes the address, or None when it may not any more."""
    asked_from = Session.objects.live().filter(pk=session_id, user_id=user_id)
    with transaction.atomic():
        # Locked, so that a new password, which ends such links, comes before this one or after it.
        users = User.objects.select_for_update(no_key=True)
        user = users.filter(pk=user_id, is_active=True).first()
        if user is None or not asked_from.exists() or User.objects.filter(email=email).exists():
            return None
        return issue(user_id=user.pk, purpose=TokenPurpose.CHANGE_EMAIL, email=email)
