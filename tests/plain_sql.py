"""Plain SQL on the connection of the test, for what must hold without the ORM."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from psycopg import sql

INSERT = (
    "INSERT INTO {table} ({columns})"
    " SELECT {columns} FROM jsonb_populate_record(NULL::{table}, %s::jsonb)"
)


def with_names(statement: str, names: Mapping[str, str | sql.Composable]) -> str:
    """Return the statement with its `{name}`s replaced by quoted identifiers."""
    parts = {
        name: value if isinstance(value, sql.Composable) else sql.Identifier(value)
        for name, value in names.items()
    }
    return sql.SQL(statement).format(**parts).as_string(None)


def execute(statement: str, parameters: Sequence[Any] = (), **names: str | sql.Composable) -> int:
    """Run a statement behind a savepoint and return the count of its rows.

    `names` are put in for `{name}` as identifiers.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(with_names(statement, names), parameters)
        return int(cursor.rowcount)


def fetch_all(
    statement: str, parameters: Sequence[Any] = (), **names: str | sql.Composable
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(with_names(statement, names), parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def insert(table: str, row: dict[str, Any], *, suffix: str = "") -> int:
    """Insert a row written as JSON, without the columns that the database computes."""
    found = fetch_all(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [table],
    )
    columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in found)
    statement = " ".join([INSERT, suffix])
    return execute(statement, [json.dumps(row)], table=table, columns=columns)
