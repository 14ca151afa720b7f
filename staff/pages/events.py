"""Security events of all teams and of none, for superusers to read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Max, Min
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts.models import User
from security.admin.door import AllTeamsPage
from security.admin.pages import ReadOnlyPage
from security.events.models import SecurityEvent, SecurityEventQuerySet
from security.events.types import Category, EventType, Severity
from security.identifiers import normalize_email
from security.request.client_ip import parse_address

if TYPE_CHECKING:
    EventPaginator = Paginator[SecurityEvent]
else:
    EventPaginator = Paginator

# What lies deeper is found by a filter or a date, and nobody waits for a count of millions.
MOST_LISTED = 10_000


class BoundedPaginator(EventPaginator):
    """Counts no further than `MOST_LISTED`."""

    @cached_property
    def count(self) -> int:
        events: Any = self.object_list
        return int(events.order_by()[:MOST_LISTED].count())


class ListedEvents(SecurityEventQuerySet):
    """Events as the list reads them."""

    def datetimes(self, field_name: str, kind: str, *args: Any, **kwargs: Any) -> Any:
        """Return the periods between the first and the last event, for the date hierarchy.

        Django's own reads every row to leave the empty ones out.
        """
        ends = self.aggregate(first=Min(field_name), last=Max(field_name))
        if ends["first"] is None:
            return []
        return list(_periods(ends["first"], ends["last"], kind))


def _periods(first: datetime, last: datetime, kind: str) -> Iterator[datetime]:
    """Yield the first moments of the years, months or days from one moment to another."""
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    if kind == "day":
        for day in range(first.toordinal(), last.toordinal() + 1):
            yield datetime.fromordinal(day).replace(tzinfo=UTC)
        return
    step = 12 if kind == "year" else 1
    begin = first.year * 12 + (0 if kind == "year" else first.month - 1)
    for month in range(begin, last.year * 12 + last.month, step):
        yield datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _filter_of(field: str, words: type[StrEnum]) -> type[admin.SimpleListFilter]:
    """Return a filter of fixed words: Django's own would look for them in every row."""

    class WordFilter(admin.SimpleListFilter):
        title = field.replace("_", " ")
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(word.value, word.value.replace("_", " ")) for word in words]

        def queryset(self, request: HttpRequest, queryset: Any) -> Any:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return WordFilter


@admin.register(SecurityEvent)
class SecurityEventPage(ReadOnlyPage, AllTeamsPage):
    """Look; nothing is changed, added or deleted here, nor could it be."""

    list_display = (
        "created_at",
        "event_type",
        "severity",
        "success",
        "user_email",
        "team_name",
        "actor_label",
        "ip_address",
        "request_path",
    )
    list_filter = (
        _filter_of("severity", Severity),
        _filter_of("category", Category),
        _filter_of("event_type", EventType),
        "success",
    )
    search_fields = ("user_id", "ip_address", "request_id")  # As `get_search_results` reads them.
    search_help_text = "A person's whole email address, an IP address, or the id of a request."
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    paginator = BoundedPaginator
    actions = None

    def get_queryset(self, request: HttpRequest) -> Any:
        return ListedEvents(SecurityEvent).order_by(*self.ordering)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Look a text up by the index that fits it."""
        text = search_term.strip()
        if text and (address := parse_address(text)):
            queryset = queryset.filter(ip_address=str(address))
        elif "@" in text:
            people = User.objects.filter(email=normalize_email(text))
            queryset = queryset.filter(user_id__in=list(people.values_list("pk", flat=True)))
        elif text:
            queryset = queryset.filter(request_id=text)
        return queryset, False
