"""What a list of leads can be narrowed down by."""

from typing import Any, ClassVar

from django_filters import filters

from crm.api.filters import IdFilter, RecordFilterSet
from leads.models import Lead
from records.search import search


class LeadFilterSet(RecordFilterSet):
    """`leadType`, `leadStatus`, `source`, `assignedTo`, `email` and what every record has."""

    assigned_to = IdFilter(field_name="assigned_to_id")
    email = filters.CharFilter(lookup_expr="iexact")
    source = filters.CharFilter(lookup_expr="iexact")

    class Meta:
        model = Lead
        fields: ClassVar[list[str]] = ["lead_type", "lead_status"]

    @classmethod
    def search(cls, queryset: Any, text: str) -> Any:
        """Look into names, email, phone and source."""
        return search(queryset, text)
