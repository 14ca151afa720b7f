"""Members of a team: added, changed, removed. API, admin and commands call these.

SECURITY: every change locks the team's row first. Of changes at once each sees what the one before
left, so that the last admin stays, and who lost the right meanwhile changes nothing any more.
"""

import uuid
from typing import NamedTuple

from django.db import transaction

from accounts.models import Invitation, Membership, RevokeReason, Team
from accounts.sessions.sign_out import end_team_sessions
from crm.api.errors import Conflict, NotFound, PermissionDenied
from crm.db.tenancy import context
from security.access.roles import (
    INVITATION_RESOURCE,
    MEMBER_RESOURCE,
    Right,
    Role,
    has_right,
    is_above,
)
from security.api_keys.services import revoke_keys_of
from security.events.collector import record_event
from security.events.types import EventType
from security.request.actors import Actor


class MemberChange(NamedTuple):
    """What shall become of a member; None leaves it as it is."""

    role: Role | None = None
    is_active: bool | None = None


@transaction.atomic
def add_member(
    *, team_id: uuid.UUID, user_id: uuid.UUID, role: Role, is_active: bool = True
) -> Membership:
    """Make a user a member. Raises `Conflict` for a member, also for a deactivated one."""
    lock_team(team_id)
    if Membership.objects.filter(team_id=team_id, user_id=user_id).exists():
        raise Conflict("This person is a member of the team already.")
    # What a former membership left behind, such as a session opened in the moment of its removal,
    # does not come to life again.
    _end_access(team_id, user_id)
    member = Membership.objects.create(
        team_id=team_id, user_id=user_id, role=role, is_active=is_active
    )
    _record(EventType.MEMBER_ADDED, member, role=str(role), is_active=is_active)
    return member


@transaction.atomic
def change_member(
    *, team_id: uuid.UUID, member_id: uuid.UUID, change: MemberChange, by: Actor | None = None
) -> Membership:
    """Give a member another role, deactivate them or activate them again.

    `by` is the member who does it; None are staff and operators, who are no members. A deactivated
    member's sessions in the team end; their keys rest until they are active again. Raises
    `NotFound` for a member of another team, `PermissionDenied` for what is above one's own role,
    and `Conflict` for the last admin.
    """
    own_role = lock_team_as(by, team_id, MEMBER_RESOURCE, Right.EDIT)
    member = _lock_member(team_id, member_id)
    role = Role(member.role) if change.role is None else change.role
    is_active = member.is_active if change.is_active is None else change.is_active
    refuse_above(own_role, Role(member.role), role)
    if role is not Role.ADMIN or not is_active:
        _require_another_admin(member)
    before = Role(member.role), member.is_active
    member.role, member.is_active = role.value, is_active
    member.save(update_fields=["role", "is_active"])
    _follow_up(member, *before)
    return member


@transaction.atomic
def remove_member(*, team_id: uuid.UUID, member_id: uuid.UUID, by: Actor | None = None) -> None:
    """Take a member out of a team; their sessions and keys in it end for good.

    Raises what `change_member` raises.
    """
    own_role = lock_team_as(by, team_id, MEMBER_RESOURCE, Right.DELETE)
    member = _lock_member(team_id, member_id)
    refuse_above(own_role, Role(member.role))
    _require_another_admin(member)
    _revoke_invitations_by(member)
    sessions, keys = _end_access(team_id, member.user_id)
    _record(
        EventType.MEMBER_REMOVED,
        member,
        role=member.role,
        sessions_ended=sessions,
        keys_revoked=keys,
    )
    member.delete()


def lock_team(team_id: uuid.UUID) -> Team:
    """Return a team, locked against other changes of its members; raises `NotFound`.

    The lock lets new rows refer to the team meanwhile.
    """
    team = Team.objects.select_for_update(no_key=True).filter(pk=team_id).first()
    if team is None:
        raise NotFound
    return team


def lock_team_as(by: Actor | None, team_id: uuid.UUID, resource: str, right: Right) -> Role:
    """Lock the team and return the role that somebody holds in it now, not when they called.

    Raises `NotFound`, and `PermissionDenied` for a role that lacks the right. None are staff.
    """
    lock_team(team_id)
    if by is None:
        return Role.ADMIN
    places = Membership.objects.filter(team_id=team_id, user_id=by.user_id, is_active=True)
    role = places.values_list("role", flat=True).first()
    if role is None or not has_right(Role(role), resource, right):
        raise PermissionDenied(f"Your role may not {right} {resource} any more.")
    return Role(role)


def _lock_member(team_id: uuid.UUID, member_id: uuid.UUID) -> Membership:
    members = Membership.objects.for_team(team_id).select_for_update(no_key=True)
    member = members.filter(pk=member_id).first()
    if member is None:
        raise NotFound
    return member


def refuse_above(own_role: Role, *roles: Role) -> None:
    """Raise `PermissionDenied` when one of the roles is above one's own."""
    if any(is_above(role, own_role) for role in roles):
        raise PermissionDenied("This is above your own role.")


def _require_another_admin(member: Membership) -> None:
    """Raise `Conflict` when nobody but the member can manage the team."""
    admins = Membership.objects.for_team(member.team_id).active_admins()
    if admins.filter(pk=member.pk).exists() and not admins.exclude(pk=member.pk).exists():
        raise Conflict("A team needs an active admin, and this is its last one.")


def _follow_up(member: Membership, role: Role, was_active: bool) -> None:
    """Record what was changed; end the sessions of who was deactivated."""
    if member.role != role:
        _record(EventType.ROLE_CHANGED, member, before=role.value, after=member.role)
    if not (member.is_active and has_right(Role(member.role), INVITATION_RESOURCE, Right.CREATE)):
        _revoke_invitations_by(member)
    if was_active and not member.is_active:
        ended = end_team_sessions(
            user_id=member.user_id,
            team_id=member.team_id,
            reason=RevokeReason.MEMBER_DEACTIVATED,
        )
        _record(EventType.MEMBER_DEACTIVATED, member, role=member.role, sessions_ended=ended)
    if member.is_active and not was_active:
        _record(EventType.MEMBER_REACTIVATED, member, role=member.role)


def _revoke_invitations_by(member: Membership) -> None:
    """End what somebody invited who may not any more: no door of theirs stays open."""
    # Staff and commands have no team open.
    with context(team_id=str(member.team_id)):
        invitations = Invitation.objects.for_team(member.team_id)
        invitations.filter(invited_by=member.user_id).revoke()


def _end_access(team_id: uuid.UUID, user_id: uuid.UUID) -> tuple[int, int]:
    """End a person's sessions and keys in a team for good; return how many of each."""
    sessions = end_team_sessions(
        user_id=user_id, team_id=team_id, reason=RevokeReason.MEMBER_REMOVED
    )
    return sessions, revoke_keys_of(team_id=team_id, owner_id=user_id)


def _record(event_type: EventType, member: Membership, **metadata: object) -> None:
    record_event(event_type, user_id=member.user_id, team_id=member.team_id, **metadata)
