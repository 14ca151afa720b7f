from typing import Any, ClassVar

import pytest
from django.test import RequestFactory
from django_filters import filters
from rest_framework.request import Request

from crm.api.errors import ValidationFailed
from crm.api.filters import DateTimeFilter, StrictFilterSet
from crm.api.tests.models import Book


class BookFilterSet(StrictFilterSet):
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gte")
    title = filters.CharFilter()

    class Meta:
        model = Book
        fields: ClassVar[list[str]] = ["kind", "is_lent", "id"]

    @classmethod
    def search(cls, queryset: Any, text: str) -> Any:
        return queryset.filter(title__icontains=text)


class QuietFilterSet(StrictFilterSet):
    class Meta:
        model = Book
        fields: ClassVar[list[str]] = ["kind"]


def apply(query: str, filterset: type[StrictFilterSet] = BookFilterSet) -> Any:
    request = Request(RequestFactory().get(f"/books?{query}"))
    return filterset.apply(Book.objects.all(), request)


@pytest.mark.parametrize(
    ("query", "sql"),
    [
        ("kind=novel", '"kind" = novel'),
        ("isLent=false", 'NOT "test_book"."is_lent"'),
        ("createdAfter=2026-01-01T00:00:00Z", '"created_at" >= 2026-01-01 00:00:00+00:00'),
        ("createdAfter=2026-01-01T00:00:00+00:00", '"created_at" >= 2026-01-01 00:00:00+00:00'),
        ("q=emma", "LIKE"),
    ],
)
def test_filter_narrows_down(query: str, sql: str) -> None:
    assert sql in str(apply(query).query)


def test_paging_needs_no_filterset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BookFilterSet, "__init__", None)
    assert "WHERE" not in str(apply("limit=1&cursor=x&ordering=y&count=true").query)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("unknown=1", "unknown"),
        ("is_lent=true", "is_lent"),
        ("created_after=x", "created_after"),
        ("kind=novel&kind=essay", "kind"),
        ("limit=1&limit=2", "limit"),
        ("kind=poem", "kind"),
        ("kind=", "kind"),
        ("isLent=yes", "isLent"),
        ("isLent=1", "isLent"),
        ("id=7", "id"),
        ("createdAfter=2026-01-01", "createdAfter"),
        ("createdAfter=0001-01-01T00:00:00%2B23:59", "createdAfter"),
        ("title=%00", "title"),
        ("title=" + "x" * 201, "title"),
        ("q=%00", "q"),
        ("q=" + "x" * 201, "q"),
        ("q=%20", "q"),
        ("access_token=x", "access_token"),
    ],
)
def test_wrong_parameter_is_named(query: str, name: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        apply(query)
    assert caught.value.details is not None
    assert list(caught.value.details) == [name]


def test_q_is_unknown_where_nothing_is_searched() -> None:
    with pytest.raises(ValidationFailed):
        apply("q=emma", QuietFilterSet)


def test_many_unknown_parameters_make_a_short_answer() -> None:
    with pytest.raises(ValidationFailed) as caught:
        apply("&".join(f"p{n}=1" for n in range(500)))
    assert caught.value.details is not None
    assert len(caught.value.details) == 20
