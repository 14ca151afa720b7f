"""Invitations: sent by a team's admins, accepted once by whoever reads the mail.

They are rows of one team, so all but `find_invitation` runs where that team is open.
"""

import math
import uuid
from datetime import timedelta

from django.utils import timezone

from accounts.jobs import send_invitation
from accounts.mailbox.one_time_tokens import hash_token
from accounts.models import Invitation, Membership, User
from accounts.models.invitation import LIFETIME
from accounts.team.members import add_member, lock_team, lock_team_as, refuse_above
from crm.api.errors import Conflict, EmailNotVerified, NotFound, RateLimited, ValidationFailed
from crm.db.tenancy import context
from crm.env import env
from security.access.roles import INVITATION_RESOURCE, Right, Role, has_right, is_above
from security.events.collector import record_event
from security.events.types import EventType
from security.new_addresses import require_new_address
from security.rate_limits.refusals import record_once
from security.request.actors import Actor


def invite(*, email: str, role: Role, by: Actor) -> Invitation:
    """Invite an address into the actor's team; it is mailed once the transaction commits.

    An address has one invitation of a team, the newest. Raises `ValidationFailed`, `Conflict` for
    a member's address, `PermissionDenied` for a role above the actor's own, `EmailNotVerified` for
    an inviter without a proven address, and `RateLimited`.
    Nobody learns whether the address has an account elsewhere.
    """
    address = require_new_address(email)
    # SECURITY: the mail names team and inviter, so that whoever could send it without an address
    # of their own could have any text mailed to anybody.
    if not User.objects.filter(pk=by.user_id, email_verified_at__isnull=False).exists():
        raise EmailNotVerified
    refuse_above(lock_team_as(by, by.team_id, INVITATION_RESOURCE, Right.CREATE), role)
    if Membership.objects.for_team(by.team_id).filter(user__email=address).exists():
        raise Conflict("This person is a member of the team already.")
    invitations = Invitation.objects.for_team(by.team_id)
    _require_within_limit(by.team_id)
    invitations.filter(email=address).revoke()
    invitation = invitations.create(
        team_id=by.team_id,
        email=address,
        role=role.value,
        invited_by_id=by.user_id,
        expires_at=timezone.now() + LIFETIME,
    )
    send_invitation.queue(team_id=by.team_id, invitation_id=str(invitation.pk))
    record_event(EventType.INVITATION_ISSUED, email=address, role=role.value)
    return invitation


def revoke_invitation(*, team_id: uuid.UUID, invitation_id: uuid.UUID) -> None:
    """End an invitation; nothing happens to one that is revoked or over.

    Raises `NotFound`, and `Conflict` for one that was accepted: remove the member instead.
    """
    found = Invitation.objects.for_team(team_id).filter(pk=invitation_id)
    invitation = found.select_for_update().first()
    if invitation is None:
        raise NotFound
    if invitation.accepted_at is not None:
        raise Conflict("The invitation was accepted; remove the member instead.")
    if found.revoke():
        record_event(EventType.INVITATION_REVOKED, team_id=team_id, email=invitation.email)


def find_invitation(raw_token: str, *, email: str, field: str) -> Invitation:
    """Return the pending invitation of an address that a token opens, whichever team's.

    Raises `ValidationFailed` about the field, with one message for whatever is wrong.
    """
    token_hash = hash_token(raw_token)
    # SECURITY: the one place that sets this; row-level security shows that one row by it.
    with context(invitation_token_hash=token_hash):
        found = Invitation.objects.pending().filter(token_hash=token_hash, email=email)
        invitation = found.select_related("team").first()
    if invitation is None:
        raise not_valid(field)
    return invitation


def accept_invitation(*, invitation: Invitation, user: User, field: str) -> Membership:
    """Make a user a member by an invitation that was found, exactly once.

    The token came to the mailbox, so the address is theirs. Raises `ValidationFailed` about the
    field when the invitation does not stand any more, and `Conflict` for a member.
    """
    team_id = invitation.team_id
    with context(team_id=str(team_id)):
        team = lock_team(team_id)
        pending = Invitation.objects.for_team(team_id).pending().filter(pk=invitation.pk)
        locked = pending.select_for_update(of=("self",)).first()
        if locked is None or not team.is_active or not _stands_behind(locked):
            raise not_valid(field)
        member = add_member(team_id=team_id, user_id=user.pk, role=Role(locked.role))
        pending.update(accepted_at=timezone.now(), accepted_by=user)
        unverified = User.objects.filter(pk=user.pk, email_verified_at=None)
        unverified.update(email_verified_at=timezone.now())
    record_event(EventType.INVITATION_ACCEPTED, user_id=user.pk, team_id=team_id, role=locked.role)
    return member


def not_valid(field: str) -> ValidationFailed:
    """Return the one answer to a token that is wrong, over, used, revoked, or another address's."""
    return ValidationFailed(details={field: ["This invitation is not valid, or no longer."]})


def _stands_behind(invitation: Invitation) -> bool:
    """Tell whether who invited may still do so: else a dismissed admin leaves a door open."""
    if invitation.invited_by_id is None:
        return False
    places = Membership.objects.for_team(invitation.team_id).filter(
        user_id=invitation.invited_by_id, is_active=True, user__is_active=True
    )
    role = places.values_list("role", flat=True).first()
    return (
        role is not None
        and has_right(Role(role), INVITATION_RESOURCE, Right.CREATE)
        and not is_above(Role(invitation.role), Role(role))
    )


def _require_within_limit(team_id: uuid.UUID) -> None:
    """Raise `RateLimited` when the team has sent RATE_LIMIT_INVITATIONS.

    The team is locked, so that what is sent at once is counted one after the other.
    """
    rate = env.rate_limit_invitations
    if rate is None:
        return
    window, now = timedelta(seconds=rate.seconds), timezone.now()
    recent = Invitation.objects.for_team(team_id).filter(created_at__gt=now - window)
    times = recent.order_by("-created_at").values_list("created_at", flat=True)
    counted = list(times[: rate.count])
    if len(counted) < rate.count:
        return
    ends_at = counted[-1] + window
    wait = max(1, math.ceil((ends_at - now).total_seconds()))
    record_once(
        EventType.RATE_LIMIT_EXCEEDED,
        subject=f"invitations:{team_id}",
        until=int(ends_at.timestamp()),
        limit="invitations",
        quota=str(rate),
        counted=str(team_id),
    )
    raise RateLimited(
        "Your team has sent many invitations; try again later.",
        headers={"Retry-After": str(wait)},
    )
