"""What a list of clients can be narrowed down by."""

from typing import Any, ClassVar

from django_filters import filters

from clients.models import Client
from crm.api.filters import IdFilter, RecordFilterSet
from records.search import search


class ClientFilterSet(RecordFilterSet):
    """`contactType`, `status`, `assignedTo`, `email`, `tag` and what every record has."""

    assigned_to = IdFilter(field_name="assigned_to_id")
    email = filters.CharFilter(lookup_expr="iexact")
    tag = filters.CharFilter(field_name="tags", method="with_tag")

    class Meta:
        model = Client
        fields: ClassVar[list[str]] = ["contact_type", "status"]

    def with_tag(self, queryset: Any, name: str, value: str) -> Any:
        """Keep clients that carry the tag."""
        return queryset.filter(**{f"{name}__contains": [value]})

    @classmethod
    def search(cls, queryset: Any, text: str) -> Any:
        """Look into names, email and phone."""
        return search(queryset, text)
