"""How often keys are used: counted in the process, written by one thread every few seconds.

A call with a key costs no statement. Processes add to the same rows, each what it counted itself;
one that is killed loses what it counted since its last write, `TICK_SECONDS` at most.
"""

import atexit
import logging
import os
import threading
import uuid
from datetime import date
from typing import Any, Final, NamedTuple

from django.db import DatabaseError, connection
from django.utils import timezone

from crm.db.counter_cache import connections
from security.request.context import ContextRequest

logger = logging.getLogger(__name__)

TICK_SECONDS = 2.0
DEFAULT_DAYS = 30
LONGEST_DAYS = 90
REFUSALS: Final = frozenset({401, 403, 429})

# In one order, so that two processes never wait for each other's rows crosswise.
_ADD = """
    INSERT INTO security_apikeyusage (team_id, api_key_id, day, request_count, refused_count)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::date[], %s::bigint[], %s::bigint[])
     ORDER BY 1, 2, 3
    ON CONFLICT (team_id, api_key_id, day) DO UPDATE SET
        request_count = security_apikeyusage.request_count + excluded.request_count,
        refused_count = security_apikeyusage.refused_count + excluded.refused_count
"""
# Counts are of keys of many teams, and no team is open behind a request.
_ALL_TEAMS: Final = {"app.all_teams": "on"}
_BY_DAY = """
    SELECT (%(today)s::date - number) AS day,
           coalesce(u.request_count, 0), coalesce(u.refused_count, 0)
      FROM security_apikey k
     CROSS JOIN generate_series(%(days)s - 1, 0, -1) AS number
      LEFT JOIN security_apikeyusage u ON u.team_id = k.team_id AND u.api_key_id = k.id
             AND u.day = %(today)s::date - number
     WHERE k.id = %(api_key_id)s AND k.team_id = %(team_id)s
     ORDER BY number DESC
"""


class UsedKey(NamedTuple):
    """A key whose secret proved right in a request."""

    team_id: uuid.UUID
    api_key_id: uuid.UUID


class DayOfUse(NamedTuple):
    """The calls of one day."""

    date: date
    requests: int
    refused: int


class UsageCounter:
    """The counts of one process. Thread-safe; a forked child starts with empty ones."""

    def __init__(self) -> None:
        self._start_empty()
        os.register_at_fork(after_in_child=self._start_empty)

    def _start_empty(self) -> None:
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._counts: dict[tuple[uuid.UUID, uuid.UUID, date], tuple[int, int]] = {}

    def count(self, used: UsedKey, *, is_refused: bool) -> None:
        """Count one call."""
        place = (*used, timezone.now().date())
        with self._lock:
            requests, refused = self._counts.get(place, (0, 0))
            self._counts[place] = (requests + 1, refused + is_refused)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="key-usage", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Write what was counted; a database that is down is asked again with the next flush."""
        with self._flushing:
            with self._lock:
                counts, self._counts = self._counts, {}
            if counts:
                self._write(counts)

    def forget(self) -> None:
        """Forget what is not written, as between tests."""
        with self._flushing, self._lock:
            self._counts.clear()

    def stop(self) -> None:
        """Write what was counted and end the thread. The next call starts anew."""
        thread = self._thread
        self._is_stopping.set()
        if thread is not None:
            thread.join()
        self._start_empty()

    def _write(self, counts: dict[tuple[uuid.UUID, uuid.UUID, date], tuple[int, int]]) -> None:
        rows = [(*place, *count) for place, count in counts.items()]
        columns = [list(column) for column in zip(*rows, strict=True)]
        try:
            connections.fetch(_ADD, columns, settings=_ALL_TEAMS)
        except DatabaseError as error:
            # PostgreSQL repeats the statement below the first line.
            logger.warning("Usage of keys is kept back: %s", str(error).partition("\n")[0])
            self._take_back(counts)

    def _take_back(self, counts: dict[tuple[uuid.UUID, uuid.UUID, date], tuple[int, int]]) -> None:
        with self._lock:
            for place, (requests, refused) in counts.items():
                newer = self._counts.get(place, (0, 0))
                self._counts[place] = (requests + newer[0], refused + newer[1])

    def _run(self) -> None:
        """Write every few seconds, and at the end; the body of the thread."""
        stopping = self._is_stopping
        while not stopping.wait(TICK_SECONDS):
            self.flush()
        self.flush()


# The one of this process. A process that ends in peace loses nothing.
usage_counter: Final = UsageCounter()
atexit.register(usage_counter.stop)


def count_key_use(request: ContextRequest, status: int) -> None:
    """Count a request that carried a key whose secret is right, by how it was answered."""
    used: UsedKey | None = getattr(request, "used_key", None)
    if used is not None:
        usage_counter.count(used, is_refused=status in REFUSALS)


def usage_by_day(*, team_id: uuid.UUID, api_key_id: uuid.UUID, days: int) -> list[DayOfUse]:
    """Return the use of a team's key on each of the last days, today last; empty without the key.

    Days are those of UTC. What was counted in the last seconds may be missing.
    """
    parameters: dict[str, Any] = {
        "today": timezone.now().date(),
        "days": days,
        "api_key_id": api_key_id,
        "team_id": team_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, parameters)
        return [DayOfUse(*row) for row in cursor.fetchall()]
