"""What a list of API keys can be narrowed down by."""

from typing import Any, ClassVar

from django.utils import timezone

from crm.api.filters import BooleanFilter, IdFilter, StrictFilterSet
from security.models import ApiKey


class ApiKeyFilterSet(StrictFilterSet):
    """`owner`, and `usable`: neither revoked nor expired."""

    owner = IdFilter(field_name="owner_id")
    usable = BooleanFilter(method="by_usable")

    class Meta:
        model = ApiKey
        fields: ClassVar[list[str]] = []

    def by_usable(self, queryset: Any, name: str, value: bool) -> Any:
        """Keep the keys that work, or those that do not."""
        if value:
            return queryset.usable()
        return queryset.exclude(revoked_at=None, expires_at__gt=timezone.now())
