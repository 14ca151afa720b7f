"""What the audit trail can be narrowed down by."""

from typing import ClassVar

from django_filters import filters

from crm.api.filters import DateTimeFilter, IdFilter, StrictFilterSet
from security.audit.models import Action, AuditEntry
from security.request.actors import ActorKind


class HistoryFilterSet(StrictFilterSet):
    """`action`, `createdAfter` and `createdBefore`."""

    action = filters.ChoiceFilter(choices=Action.choices)
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = AuditEntry
        fields: ClassVar[list[str]] = []


class AuditFilterSet(HistoryFilterSet):
    """The same, and `resourceType`, `resourceId`, `actorId` and `actorKind`."""

    resource_type = filters.CharFilter()
    resource_id = IdFilter()
    actor_id = IdFilter()
    actor_kind = filters.ChoiceFilter(choices=[(kind.value, kind.value) for kind in ActorKind])


class ExportFilterSet(AuditFilterSet):
    """The filters of an export, which has no pages."""

    @classmethod
    def known_parameters(cls) -> frozenset[str]:
        return frozenset({"format", *cls.base_filters})
