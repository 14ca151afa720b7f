"""What lists can be narrowed down by. Nothing in a query string is ignored."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.db import models
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.request import Request

from crm.api import fields as strict
from crm.api.errors import ValidationFailed
from crm.api.naming import camel_case
from crm.api.parameters import LIST_PARAMETERS, check_parameters, read_flag


class _StrictFormField(forms.Field):
    """Reads a parameter with a strict serializer field, so that bodies and queries agree."""

    reader: serializers.Field[Any, Any, Any, Any]

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return self.reader.run_validation(value)
        except serializers.ValidationError as error:
            detail = error.detail
            messages = detail if isinstance(detail, list) else [detail]
            raise forms.ValidationError([str(message) for message in messages]) from None


class _DateTimeFormField(_StrictFormField):
    reader = strict.DateTimeField()

    def to_python(self, value: Any) -> datetime.datetime | None:
        # An offset's plus sign that was not escaped arrives as a blank.
        return super().to_python(value.replace(" ", "+") if value else value)  # type: ignore[no-any-return]


class _DateFormField(_StrictFormField):
    reader = strict.DateField()


class _IdFormField(_StrictFormField):
    reader = strict.UUIDField()


class _BooleanFormField(forms.Field):
    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        if value not in ("true", "false"):
            raise forms.ValidationError("Must be true or false.")
        return bool(value == "true")


class BooleanFilter(filters.Filter):
    """`true` or `false`; django-filter's own takes anything else as no filter at all."""

    field_class = _BooleanFormField


class DateTimeFilter(filters.Filter):
    """A moment in RFC 3339."""

    field_class = _DateTimeFormField


class DateFilter(filters.Filter):
    """A day, YYYY-MM-DD."""

    field_class = _DateFormField


class IdFilter(filters.Filter):
    """A record by its UUID, without a query to see whether it exists."""

    field_class = _IdFormField


class StrictFilterSet(FilterSet):
    """Filters are declared in snake_case (or taken from Meta.fields) and spoken in camelCase.

    A list calls `apply`. `search` says what `q` means; a resource without it refuses `q`.
    """

    @classmethod
    def get_filters(cls) -> Any:
        """Return the filters by their spoken names."""
        found = super().get_filters()
        return {camel_case(name): filter_ for name, filter_ in found.items()}

    @classmethod
    def filter_for_lookup(cls, field: Any, lookup_type: Any) -> Any:
        """Return the strict filter for a model field, where there is one."""
        if lookup_type in ("exact", "gte", "gt", "lte", "lt"):
            for kind, chosen in _FILTER_OF_FIELD:
                if isinstance(field, kind) and not field.choices:
                    return chosen, {}
        return super().filter_for_lookup(field, lookup_type)

    @classmethod
    def search(cls, queryset: Any, text: str) -> Any:
        """Keep the rows that the free text `q` finds."""
        raise NotImplementedError

    @classmethod
    def has_search(cls) -> bool:
        """Whether the resource says what `q` means."""
        return cls.search.__func__ is not StrictFilterSet.search.__func__  # type: ignore[attr-defined]

    @classmethod
    def known_parameters(cls) -> frozenset[str]:
        """Return the names that a query string may hold."""
        common = LIST_PARAMETERS if cls.has_search() else LIST_PARAMETERS - {"q"}
        return common | cls.base_filters.keys()

    @classmethod
    def apply(cls, queryset: Any, request: Request) -> Any:
        """Return the rows that the query string asks for; raises ValidationFailed."""
        parameters = request.query_params
        if not parameters:
            return queryset
        check_parameters(parameters, cls.known_parameters())
        # To build a form costs more than a query, and most pages ask for no filter.
        if not cls.base_filters.keys().isdisjoint(parameters):
            filterset = cls(data=parameters, queryset=queryset, request=request)
            if not filterset.is_valid():
                raise ValidationFailed(details=_details(filterset.errors))
            queryset = filterset.qs
        if "q" in parameters:
            queryset = cls.search(queryset, parameters["q"].strip())
        return queryset


_FILTER_OF_FIELD: tuple[tuple[Any, type[filters.Filter]], ...] = (
    (models.BooleanField, BooleanFilter),
    (models.DateTimeField, DateTimeFilter),
    (models.DateField, DateFilter),
    (models.UUIDField, IdFilter),
    (models.ForeignKey, IdFilter),
)


def _details(errors: Any) -> dict[str, list[str]]:
    return {
        name: [str(message) for error in found.as_data() for message in error.messages]
        for name, found in errors.items()
    }


class RecordFilterSet(StrictFilterSet):
    """What every list of records has: when they were made, by whom, and the deleted ones."""

    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")
    updated_after = DateTimeFilter(field_name="updated_at", lookup_expr="gte")
    updated_before = DateTimeFilter(field_name="updated_at", lookup_expr="lt")
    created_by = IdFilter(field_name="created_by_id")
    deleted = BooleanFilter(method="leave")

    def leave(self, queryset: Any, name: str, value: object) -> Any:
        """Do nothing: `apply` has chosen between present and deleted rows."""
        return queryset

    @classmethod
    def apply(cls, queryset: Any, request: Request) -> Any:
        """Return present rows, or the deleted ones with `deleted=true`."""
        wants_deleted = read_flag(request.query_params, "deleted")
        rows = queryset.deleted() if wants_deleted else queryset.present()
        return super().apply(rows, request)
