"""What the lists of a team's people can be narrowed down by."""

from typing import Any, ClassVar

from django.db.models import Q
from django_filters import filters

from accounts.models import Invitation, InvitationStatus, Membership, MemberStatus
from crm.api.filters import StrictFilterSet


class MemberFilterSet(StrictFilterSet):
    """`role` and `status`; `q` looks into names and addresses."""

    status = filters.ChoiceFilter(choices=MemberStatus.choices)

    class Meta:
        model = Membership
        fields: ClassVar[list[str]] = ["role"]

    @classmethod
    def search(cls, queryset: Any, text: str) -> Any:
        """Keep members whose name or address holds the text; a team is small."""
        found = Q(user__email__icontains=text)
        found |= Q(user__first_name__icontains=text) | Q(user__last_name__icontains=text)
        return queryset.filter(found)


class InvitationFilterSet(StrictFilterSet):
    """`status` and `role`."""

    status = filters.ChoiceFilter(choices=InvitationStatus.choices)

    class Meta:
        model = Invitation
        fields: ClassVar[list[str]] = ["role"]
