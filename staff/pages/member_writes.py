"""Writes of memberships from the admin: the services of the API, however staff edit."""

from typing import TYPE_CHECKING, Any

from django.forms.models import BaseInlineFormSet

from accounts.models import Membership
from accounts.team.members import MemberChange, add_member, change_member, remove_member
from security.access.roles import Role

if TYPE_CHECKING:
    BaseMembershipFormSet = BaseInlineFormSet[Membership, Any, Any]
else:
    BaseMembershipFormSet = BaseInlineFormSet


class MembershipFormSet(BaseMembershipFormSet):
    """Members as they are edited beside a team or a user."""

    def save_new(self, form: Any, commit: bool = True) -> Any:
        return write_new(super().save_new(form, commit=False))

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        return write_change(form.instance)

    def delete_existing(self, obj: Any, commit: bool = True) -> None:
        write_removal(obj)


def write_new(membership: Membership) -> Membership:
    """Add the member that a form describes. Raises `Conflict`."""
    return add_member(
        team_id=membership.team_id,
        user_id=membership.user_id,
        role=Role(membership.role),
        is_active=membership.is_active,
    )


def write_change(membership: Membership) -> Membership:
    """Give a member the role and state that a form describes. Raises `Conflict`."""
    return change_member(
        team_id=membership.team_id,
        member_id=membership.pk,
        change=MemberChange(Role(membership.role), membership.is_active),
    )


def write_removal(membership: Membership) -> None:
    """Remove a member. Raises `Conflict`."""
    remove_member(team_id=membership.team_id, member_id=membership.pk)
