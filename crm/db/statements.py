"""Reads that skip what the ORM does again for each call: compiling, and converting each value.

To compile the SELECT of a list takes as long as PostgreSQL takes to answer it. A read whose
parameters are known beforehand keeps its SQL; the ORM still writes it, once.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from psycopg.types.datetime import TimestamptzLoader

Row = tuple[Any, ...]

# A resource has some thousand at most (page sizes times orderings); more would be a mistake.
_MOST_KEPT = 20_000
_kept: dict[Hashable, str] = {}


def fetch_rows(queryset: QuerySet[Any]) -> list[Row]:
    """Return the rows of a `values_list` as psycopg reads them: a JSON column is its text.

    It is planned for its values each time: a plan that serves any value reads a million rows to
    find the two that have a rare one.
    """
    try:
        sql, parameters = queryset.query.sql_with_params()
    except EmptyResultSet:
        return []
    with _unprepared():
        return _execute(sql, tuple(parameters))


def fetch_kept(key: Hashable, parameters: Row, build: Callable[[], QuerySet[Any]]) -> list[Row]:
    """Return the rows of the query that `build` makes; its SQL is kept under `key`.

    SECURITY: the SQL is kept only when its parameters are exactly the ones given, in their order;
    so no value of one call (a team's id above all) can stay inside it for the next.
    """
    sql = _kept.get(key)
    if sql is not None:
        return _execute(sql, parameters)
    queryset = build()
    sql, found = queryset.query.sql_with_params()
    if tuple(found) == parameters and len(_kept) < _MOST_KEPT:
        _kept[key] = sql
    return _execute(sql, tuple(found))


@contextmanager
def _unprepared() -> Iterator[None]:
    """Inside the block, psycopg prepares nothing and uses nothing that it prepared before."""
    connection.ensure_connection()
    raw = connection.connection
    threshold, raw.prepare_threshold = raw.prepare_threshold, None
    try:
        yield
    finally:
        raw.prepare_threshold = threshold


def _execute(sql: str, parameters: Row) -> list[Row]:
    with connection.cursor() as cursor:
        # Django reads times in Python, psycopg in C with the same result, the connection being in
        # UTC: a fifth of the work of a list.
        cursor.cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(sql, parameters)
        rows: list[Row] = cursor.fetchall()
    return rows
