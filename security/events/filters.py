"""What a list of security events can be narrowed down by."""

from enum import StrEnum
from typing import Any, ClassVar

from django_filters import filters

from crm.api.errors import ValidationFailed
from crm.api.filters import BooleanFilter, DateTimeFilter, IdFilter, StrictFilterSet
from security.events.models import SecurityEvent
from security.events.types import Category, EventType, Severity
from security.request.client_ip import parse_address


def _choice_of(words: type[StrEnum]) -> filters.ChoiceFilter:
    return filters.ChoiceFilter(choices=[(word.value, word.value) for word in words])


class SecurityEventFilterSet(StrictFilterSet):
    """By type, category, severity, outcome, person, address and time."""

    event_type = _choice_of(EventType)
    category = _choice_of(Category)
    severity = _choice_of(Severity)
    success = BooleanFilter()
    user_id = IdFilter()
    ip_address = filters.CharFilter(method="from_address")
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = SecurityEvent
        fields: ClassVar[list[str]] = []

    def from_address(self, queryset: Any, name: str, value: str) -> Any:
        """Keep events from one address, among those whose address is shown."""
        address = parse_address(value)
        if address is None:
            raise ValidationFailed(details={"ipAddress": ["Must be an IP address."]})
        return queryset.filter(ip_address=str(address), shown_ip_address__isnull=False)
