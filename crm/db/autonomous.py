"""Connections of the process beside the request's own, for what a rollback must not take back."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

# A statement here touches a few rows by key, so four connections serve some ten thousand a second.
MAX_CONNECTIONS = 4
CONNECT_TIMEOUT_SECONDS = 2
# A statement waits at most this long for the server; callers would rather hear that it is down.
STATEMENT_TIMEOUT_MILLISECONDS = 2_000
SLOT_TIMEOUT_SECONDS = 5

Row = tuple[Any, ...]


class AutonomousConnections:
    """At most four autocommit connections to the default database, opened when needed.

    Every statement is a transaction of its own: it stands whatever becomes of the caller's
    transaction, and its locks end with it. A second Django alias would do the same with one more
    connection for every thread.
    """

    def __init__(self) -> None:
        self._inherited: list[psycopg.Connection[Row]] = []
        self._start_empty()
        os.register_at_fork(after_in_child=self._abandon)

    def fetch(
        self,
        statement: str,
        parameters: Sequence[object] = (),
        *,
        settings: Mapping[str, str] | None = None,
    ) -> list[Row]:
        """Run one statement in its own transaction and return its rows.

        `settings` hold for that transaction, as `{"app.all_teams": "on"}`. Raises
        `django.db.DatabaseError` for every failure, a server that is down included. A connection
        that died while it was idle is replaced and the statement sent again.
        """
        try:
            with self._connection() as (connection, is_reused):
                try:
                    return _run(connection, statement, parameters, settings or {})
                except psycopg.OperationalError:
                    if not (is_reused and connection.closed):
                        raise
            self.disconnect()
            with self._connection() as (connection, _):
                return _run(connection, statement, parameters, settings or {})
        except psycopg.Error as error:
            raise DatabaseError(str(error)) from error

    def disconnect(self) -> None:
        """Close the idle connections, as before a test database is dropped."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[tuple[psycopg.Connection[Row], bool]]:
        """Lend a connection, and tell whether it was used before."""
        if not self._slots.acquire(timeout=SLOT_TIMEOUT_SECONDS):
            raise DatabaseError("all connections beside the requests' own are busy")
        try:
            idle = self._pop_idle()
            connection = idle or _connect()
            try:
                yield connection, idle is not None
            finally:
                if not connection.closed:
                    self._idle.append(connection)
        finally:
            self._slots.release()

    def _pop_idle(self) -> psycopg.Connection[Row] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _start_empty(self) -> None:
        self._idle: list[psycopg.Connection[Row]] = []
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def _abandon(self) -> None:
        # Closing them would say goodbye on sockets that the parent process still uses.
        self._inherited += self._idle
        self._start_empty()


def _connect() -> psycopg.Connection[Row]:
    parameters = connections[DEFAULT_DB_ALIAS].get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters |= {
        "autocommit": True,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "tcp_user_timeout": STATEMENT_TIMEOUT_MILLISECONDS,
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MILLISECONDS}",
    }
    return psycopg.connect(**parameters)


def _run(
    connection: psycopg.Connection[Row],
    statement: str,
    parameters: Sequence[object],
    settings: Mapping[str, str],
) -> list[Row]:
    with connection.transaction() if settings else nullcontext():
        for setting in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", setting)
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []
