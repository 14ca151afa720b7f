"""Keyset pages: a page begins where its neighbour ended, so its cost does not grow with depth."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from django.db import models
from django.db.models import F, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull
from django.db.models.sql import Query
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.cursors import Cursor, decode_cursor, encode_cursor
from crm.api.envelope import success
from crm.api.errors import ValidationFailed
from crm.api.parameters import read_flag, read_limit
from crm.api.serializers import StrictSerializer
from crm.db.statements import fetch_kept, fetch_rows

DEFAULT_LIMIT = 25
MAX_LIMIT = 200
DEFAULT_ORDERING = "-createdAt"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of `values_list` and the envelope's `pagination`.

    What the rows are ordered by may follow the columns that were asked for.
    """

    rows: Sequence[tuple[Any, ...]]
    pagination: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ListSource:
    """What a list reads from: a model and how its rows are chosen.

    `kept_as` names a choice that is always the same but for its `parameters` (the rows of a team,
    say): its SQL is compiled once. None, when filters or a search shape it, compiles each time.
    """

    model: type[models.Model]
    rows: Callable[[], models.QuerySet[Any]]
    kept_as: str | None = None
    parameters: tuple[Any, ...] = ()


class Row(Func):
    """`(a, b)`: values compared one after the other, as an index over both is sorted."""

    template = "(%(expressions)s)"
    arg_joiner = ", "


class RowComparison(Func):
    """`(a, b) < (x, y)` in SQL. Written with OR and AND instead, it could not use the index."""

    template = "%(expressions)s"
    output_field = models.BooleanField()

    def __init__(self, left: Row, operator: str, right: Row) -> None:
        super().__init__(left, right, arg_joiner=operator)


@dataclass(frozen=True, slots=True)
class Key:
    """What a list is ordered by: expressions that are never NULL, the id last."""

    is_descending: bool
    columns: tuple[Any, ...]
    expressions: tuple[Any, ...]
    fields: tuple[models.Field[Any, Any], ...]

    def select(self, sources: Sequence[str]) -> tuple[list[Any], Callable[..., Any]]:
        """Return the columns to read, and what takes the key out of a row of them."""
        selected: list[Any] = list(sources)
        places = []
        for column in self.columns:
            if not (isinstance(column, str) and column in sources):
                selected.append(column)
                places.append(len(selected) - 1)
            else:
                places.append(sources.index(column))
        return selected, itemgetter(*places)

    def order_by(self, *, is_backward: bool) -> list[Any]:
        """Return the arguments of `order_by`."""
        is_descending = self.is_descending != is_backward
        return [e.desc() if is_descending else e.asc() for e in self.expressions]

    def beyond(self, cursor: Cursor) -> RowComparison:
        """Return the condition for rows that follow the cursor in its direction."""
        operator = " < " if self.is_descending != cursor.is_backward else " > "
        pairs = zip(self.fields, cursor.key, strict=True)
        values = [Value(value, output_field=field) for field, value in pairs]
        return RowComparison(_row(self.expressions), operator, _row(values))


def keyset_response(
    request: Request,
    serializer_class: type[StrictSerializer],
    ordering_fields: Mapping[str, str | Combinable],
    source: ListSource,
) -> Response:
    """Answer the page that the request's `limit`, `cursor`, `ordering` and `count` ask for."""
    page = read_page(
        source,
        request.query_params,
        sources=serializer_class.sources(),
        ordering_fields=ordering_fields,
    )
    shape = serializer_class.row
    return success([shape(row) for row in page.rows], pagination=page.pagination)


def read_page(
    source: ListSource,
    parameters: QueryDict,
    *,
    sources: tuple[str, ...],
    ordering_fields: Mapping[str, str | Combinable],
) -> Page:
    """Read one page, in one statement; with `count=true` a second one counts the whole list."""
    limit = read_limit(parameters, default=DEFAULT_LIMIT, maximum=MAX_LIMIT)
    ordering = parameters.get("ordering", DEFAULT_ORDERING)
    key = _key_of(source.model, ordering, ordering_fields)
    cursor = None
    if "cursor" in parameters:
        cursor = decode_cursor(str(parameters["cursor"]), ordering, key.fields)
    total = {"total": source.rows().count()} if read_flag(parameters, "count") else {}
    selected, key_of = key.select(sources)

    def page_query() -> models.QuerySet[Any]:
        wanted = source.rows()
        if cursor is not None:
            wanted = wanted.filter(key.beyond(cursor))
        wanted = wanted.order_by(*key.order_by(is_backward=_is_backward(cursor)))
        # One row more than asked for tells whether there is another page.
        return wanted.values_list(*selected)[: limit + 1]

    if source.kept_as is None:
        rows = fetch_rows(page_query())
    else:
        way = cursor and cursor.is_backward
        statement = (source.model, source.kept_as, sources, ordering, limit, way)
        values = (*source.parameters, *(cursor.key if cursor else ()))
        rows = fetch_kept(statement, values, page_query)
    return _page_of(rows, ordering, limit, cursor, key_of, total)


def _page_of(  # noqa: PLR0913 (the parts of one page, put together in one place)
    rows: list[tuple[Any, ...]],
    ordering: str,
    limit: int,
    cursor: Cursor | None,
    key_of: Callable[..., Any],
    total: Mapping[str, int],
) -> Page:
    is_backward = _is_backward(cursor)
    has_more = len(rows) > limit
    del rows[limit:]
    if is_backward:
        rows.reverse()
    has_next = bool(rows) and (is_backward or has_more)
    has_previous = bool(rows) and (has_more if is_backward else cursor is not None)
    following = encode_cursor(ordering, Cursor(False, key_of(rows[-1]))) if has_next else None
    preceding = encode_cursor(ordering, Cursor(True, key_of(rows[0]))) if has_previous else None
    return Page(
        rows,
        {"limit": limit, "nextCursor": following, "previousCursor": preceding, **total},
    )


def _is_backward(cursor: Cursor | None) -> bool:
    return cursor is not None and cursor.is_backward


def _row(values: Sequence[Any]) -> Row:
    return Row(*values, output_field=models.TextField())


def _key_of(
    model: type[models.Model], ordering: str, ordering_fields: Mapping[str, str | Combinable]
) -> Key:
    source = ordering_fields.get(ordering.removeprefix("-"))
    if source is None:
        choices = ", ".join(f"{name}, -{name}" for name in ordering_fields)
        raise ValidationFailed(details={"ordering": [f"Must be one of: {choices}."]})
    return _compile_key(model, source, is_descending=ordering.startswith("-"))


@lru_cache(maxsize=512)
def _compile_key(
    model: type[models.Model], source: str | Combinable, *, is_descending: bool
) -> Key:
    expression = F(source) if isinstance(source, str) else source
    field = _output_field(model, expression)
    expressions: list[Any] = [expression]
    columns: list[Any] = [source]
    fields = [field]
    if field.null:
        # No comparison with NULL is true, so rows without a value would never come: they sort
        # after all others (before, when descending), by a flag of their own.
        empty = Value(_empty_value(field), output_field=field)
        expressions = [IsNull(expression, True), Coalesce(expression, empty)]
        columns = expressions
        fields = [models.BooleanField(), field]
    return Key(is_descending, (*columns, "id"), (*expressions, F("id")), (*fields, model._meta.pk))


def _output_field(model: type[models.Model], expression: Any) -> models.Field[Any, Any]:
    resolved = expression.resolve_expression(Query(model))
    field: models.Field[Any, Any] = resolved.output_field
    return field


def _empty_value(field: models.Field[Any, Any]) -> Any:
    for kind, value in _EMPTY_VALUES:
        if isinstance(field, kind):
            return value
    raise TypeError(f"Rows cannot be ordered by a {type(field).__name__}.")


_EMPTY_VALUES: tuple[tuple[type[models.Field[Any, Any]], Any], ...] = (
    (models.DateTimeField, datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)),
    (models.DateField, datetime.date(1970, 1, 1)),
    (models.IntegerField, 0),
    (models.DecimalField, 0),
    (models.CharField, ""),
    (models.TextField, ""),
)
