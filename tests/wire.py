"""Counts what really crosses the wire to PostgreSQL, BEGIN and COMMIT included.

libpq itself writes the protocol's messages down (PQtrace). Django's own count knows neither BEGIN
nor COMMIT, which psycopg sends by itself, nor statements past the ORM.
"""

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from psycopg.pq import Trace

from crm.db.autonomous import AutonomousConnections

# A line of the trace: who sent it (F: the application), its length, its kind.
_STATEMENT = re.compile(r"^F\t\d+\t(?:Query|Execute)\t.*$", re.MULTILINE)


@contextmanager
def statements_on_the_wire() -> Iterator[list[str]]:
    """Yield a list; behind the block it has one entry for each statement of the block.

    Counts this thread's connection and what is sent on connections beside it. Only in a test with
    `transaction=True`: elsewhere the test's own transaction turns BEGIN and COMMIT into savepoints.
    """
    connection.ensure_connection()
    raw = connection.connection.pgconn
    sent: list[str] = []
    beside: list[str] = []
    caller, fetch = threading.get_ident(), AutonomousConnections.fetch

    def note(
        self: AutonomousConnections, statement: str, parameters: object = (), **options: object
    ) -> object:
        # Threads settle limits and usage whenever they like; that belongs to no call.
        if threading.get_ident() == caller:
            beside.append(statement)
        return fetch(self, statement, parameters, **options)  # type: ignore[arg-type]  # passed on as it came

    with tempfile.TemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(AutonomousConnections, "fetch", note)
        raw.trace(file.fileno())
        raw.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        try:
            yield sent
        finally:
            raw.untrace()
        file.seek(0)
        sent += _STATEMENT.findall(file.read().decode(errors="replace")) + beside
    assert connection.connection.pgconn is raw, "the connection was replaced in the block"
