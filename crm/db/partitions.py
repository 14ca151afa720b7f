"""Append-only tables by month: partitions made ahead, old ones dropped. Needs the owner role.

A row whose month has no partition goes to the default one, so nothing is lost when nobody makes
partitions; the next run moves it where it belongs.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from psycopg import sql

from crm.db.audit import append_only_statement
from crm.db.operations import isolation_statements
from crm.db.tenancy import context

MONTHS_AHEAD = 3
# A reader that holds the table longer than this makes the command fail, not everybody else wait.
_LOCK_TIMEOUT = "5s"

_PARTITIONS = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = %s::regclass ORDER BY c.relname
"""
_OWNS_TABLE = "SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = %s::regclass"


class Month(NamedTuple):
    """A calendar month, in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        """Return the month of a moment."""
        moment = moment.astimezone(UTC)
        return cls(moment.year, moment.month)

    def plus(self, months: int) -> "Month":
        """Return the month so many later."""
        count = self.year * 12 + self.month - 1 + months
        return Month(count // 12, count % 12 + 1)

    @property
    def begin(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return self.plus(1).begin


def month_partitions(table: str) -> dict[Month, str]:
    """Return the names of the table's partitions by their month, without the default one."""
    pattern = re.compile(rf"{table}_([0-9]{{4}})_([0-9]{{2}})")
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [table])
        names = [name for (name,) in cursor.fetchall()]
    found = [(pattern.fullmatch(name), name) for name in names]
    return {Month(int(match[1]), int(match[2])): name for match, name in found if match}


def make_partitions(table: str, *, now: datetime, ahead: int = MONTHS_AHEAD) -> list[str]:
    """Make the partitions of this month, the next ones, and of rows that had none; return names."""
    with _alone(table):
        present = month_partitions(table)
        wanted = {Month.of(now).plus(number) for number in range(ahead + 1)}
        wanted.update(_months_in_default(table))
        missing = sorted(wanted - present.keys())
        return [_make_partition(table, month) for month in missing]


def drop_partitions(table: str, *, now: datetime, retention: timedelta) -> list[str]:
    """Drop the partitions that lie wholly before the retention; return their names.

    No row is read: not in the month that goes, not in any other.
    """
    with _alone(table):
        old = [
            name
            for month, name in sorted(month_partitions(table).items())
            if month.end <= now - retention
        ]
        for name in old:
            _execute("DROP TABLE {}", name)
        return old


def owns_table(table: str) -> bool:
    """Tell whether the connection's role may change the table's partitions."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNS_TABLE, [table])
        return bool(cursor.fetchone()[0])


@contextmanager
def _alone(table: str) -> Iterator[None]:
    """Run a block in a transaction that no other maker of the table's partitions works beside."""
    # Row-level security binds the owner too; rows that are moved are every team's.
    with context(all_teams="on"), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])
        yield


def _months_in_default(table: str) -> set[Month]:
    """Return the months of the rows that found no partition."""
    with connection.cursor() as cursor:
        cursor.execute(
            _sql(
                "SELECT DISTINCT date_trunc('month', created_at, 'UTC') FROM {}", default_of(table)
            )
        )
        return {Month.of(moment) for (moment,) in cursor.fetchall()}


def _make_partition(table: str, month: Month) -> str:
    name = f"{table}_{month.year:04}_{month.month:02}"
    bounds = [sql.Literal(month.begin.isoformat()), sql.Literal(month.end.isoformat())]
    default = default_of(table)
    # Made apart and attached: readers and writers of the table go on meanwhile.
    _execute("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS)", name, table)
    for statement in (*isolation_statements(name), append_only_statement(name)):
        _execute(statement)
    _execute("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", default)
    # The one deletion that the table does not refuse: the rows are in their month the same moment.
    with context(audit_door="prune"):
        _execute(
            "WITH moved AS (DELETE FROM {} WHERE created_at >= {} AND created_at < {} RETURNING *)"
            " INSERT INTO {} SELECT * FROM moved",
            default,
            *bounds,
            name,
        )
    _execute(
        "ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})", table, name, *bounds
    )
    return name


def default_of(table: str) -> str:
    """Return the name of the table's default partition."""
    return f"{table}_default"


def _execute(statement: str, *parts: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_sql(statement, *parts))


def _sql(statement: str, *parts: Any) -> str:
    composed = [sql.Identifier(part) if isinstance(part, str) else part for part in parts]
    return sql.SQL(statement).format(*composed).as_string(None)
