"""The blocked networks in memory, refreshed by a thread: a request costs no statement.

A block is known to every process within `TICK_SECONDS` and the time of one small statement; its
end is judged by the clock, on the second. While the database is away, the last list stands.
"""

import logging
import os
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from django.db import DatabaseError

from crm.db.counter_cache import connections
from crm.env import env
from security.ip_blocks.lookup import NetworkTable, Place, place_of
from security.request.client_ip import client_ip_of

logger = logging.getLogger(__name__)

TICK_SECONDS = 2.0
# A botnet that runs into honeypots fills the table, and each block makes every process read anew:
# 20,000 take 3 MB, and 8 ms to read again.
MOST_BLOCKS = 20_000

# What changes whenever a row does; far cheaper than the rows.
_DIGEST = """
    SELECT count(*), sum(hashtextextended(
               network::text || ' ' || coalesce(extract(epoch FROM blocked_until)::text, ''), 0))
      FROM security_ipblock
"""
# Those without an end were made by people: they come first, then the latest.
_ACTIVE = """
    SELECT network::text, extract(epoch FROM blocked_until)::float8
      FROM security_ipblock
     WHERE blocked_until IS NULL OR blocked_until > now()
     ORDER BY blocked_until IS NULL DESC, created_at DESC
     LIMIT %s
"""
_FOR_EVER = float("inf")


class BlockList:
    """The blocked networks as this process knows them. Thread-safe, also behind a fork."""

    def __init__(self) -> None:
        self._is_running = False
        self._is_away = False
        self.forget()
        self._after_fork()
        os.register_at_fork(after_in_child=self._after_fork)

    def find(self, client_ip: str) -> str | None:
        """Return the blocked network that holds an address; None when it may call."""
        if self._is_running and not self._thread.is_alive():
            self._start_thread()
        networks = self._networks
        return None if networks.is_empty else networks.find(client_ip, time.time())

    def start(self) -> None:
        """Read the list, then keep it fresh: before the first request is served."""
        self.refresh()
        self._is_running = True
        self._start_thread()

    def stop(self) -> None:
        """End the thread and forget the list."""
        self._is_running = False
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.forget()

    def wake(self) -> None:
        """Refresh at once, on the thread."""
        self._wake.set()

    def forget(self) -> None:
        """Start with no block known, as between tests."""
        self._networks = NetworkTable()
        self._places: dict[str, Place | None] = {}
        self._digest: Any = None

    def refresh(self) -> None:
        """Read the list when it changed. A database that is away leaves the last one standing."""
        with self._refreshing:
            try:
                # The counters' connections: beside the requests' own, with short time limits.
                (digest,) = connections.fetch(_DIGEST)
                if digest != self._digest:
                    rows = connections.fetch(_ACTIVE, [MOST_BLOCKS])
                    self._networks = self._table_of(rows)
                    # Older than the rows at worst: then they are read once more.
                    self._digest = digest
            except DatabaseError as error:
                self._note_outage(error)
            else:
                self._note_return()

    def _table_of(self, rows: Sequence[tuple[Any, ...]]) -> NetworkTable:
        # To read a network takes far longer than all the rest, so what is known is kept.
        known = self._places
        self._places = {text: known[text] if text in known else place_of(text) for text, _ in rows}
        blocks = ((self._places[text], until) for text, until in rows)
        return NetworkTable(
            (place, _FOR_EVER if until is None else until) for place, until in blocks if place
        )

    def _note_outage(self, error: DatabaseError) -> None:
        if not self._is_away:
            reason = str(error).partition("\n")[0]
            logger.error("The blocked addresses cannot be read (%s): the last list stands", reason)
        self._is_away = True

    def _note_return(self) -> None:
        if self._is_away:
            logger.warning("The blocked addresses can be read again")
        self._is_away = False

    def _after_fork(self) -> None:
        # The list stays; the thread and whoever held a lock are not in the child.
        self._refreshing = threading.Lock()
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ip-blocks", daemon=True)

    def _start_thread(self) -> None:
        with self._starting:
            if self._thread.is_alive():
                return
            self._thread = threading.Thread(target=self._run, name="ip-blocks", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while self._is_running:
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
            self.refresh()


# The one of this process.
block_list: Final = BlockList()


def is_from_blocked_address(environ: dict[str, Any]) -> bool:
    """Tell whether a request, known by its WSGI environment alone, will be refused."""
    return block_list.find(client_ip_of(environ, env.trusted_proxies)) is not None
