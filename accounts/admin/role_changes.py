"""Records of who got or lost a role, however staff change it."""

from typing import TYPE_CHECKING, Any

from django.forms.models import BaseInlineFormSet

from accounts.models import Membership
from security.events.collector import record_event
from security.events.types import EventType

if TYPE_CHECKING:
    BaseMembershipFormSet = BaseInlineFormSet[Membership, Any, Any]
else:
    BaseMembershipFormSet = BaseInlineFormSet


class MembershipFormSet(BaseMembershipFormSet):
    """Members as they are edited beside a team or a user; each change of a role is recorded."""

    def save_new(self, form: Any, commit: bool = True) -> Any:
        membership = super().save_new(form, commit=commit)
        record_role_change(membership, before=None)
        return membership

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        membership = super().save_existing(form, obj, commit=commit)
        record_role_change(membership, before=role_before(form))
        return membership

    def delete_existing(self, obj: Any, commit: bool = True) -> None:
        super().delete_existing(obj, commit=commit)
        record_removal(obj)


def record_role_change(membership: Any, *, before: str | None) -> None:
    """Record that a member got another role; None is no role at all."""
    after = membership.role if membership.is_active else None
    if after != before:
        _record(membership, before=before, after=after)


def record_removal(membership: Any) -> None:
    """Record that a member's role was taken away with the membership."""
    _record(membership, before=membership.role, after=None)


def role_before(form: Any) -> str | None:
    """Return the role that the form was opened with."""
    role: str | None = form.initial["role"] if form.initial["is_active"] else None
    return role


def _record(membership: Any, *, before: str | None, after: str | None) -> None:
    record_event(
        EventType.ROLE_CHANGED,
        user_id=membership.user_id,
        team_id=membership.team_id,
        before=before,
        after=after,
    )
