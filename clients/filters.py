"""What a list of clients can be narrowed down by."""

from crm.api.filters import RecordFilterSet
