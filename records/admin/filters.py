"""Filters of the lists of records in the staff admin."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest


class DeletedFilter(admin.SimpleListFilter):
    """Deleted records stay out of the list until they are asked for."""

    title = "deleted"
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Deleted"), ("all", "All")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        choices: Iterator[Any] = super().choices(changelist)
        yield {**next(choices), "display": "Present"}
        yield from choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.deleted() if self.value() == "yes" else queryset.present()
