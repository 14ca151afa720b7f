"""The blocked networks in memory, refreshed by a thread: a request costs no statement.

A block is known to every process within `TICK_SECONDS` and the time of one small statement; its
end is judged by the clock, on the second. While the database is away, the last list stands.
"""

import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import Any, Final

from django.db import DatabaseError

from crm.db.counter_cache import connections
from crm.env import env
from security.client_ip import client_ip_of, parse_address
from security.ip_blocks.networks import Network, NotBlockable, parse_network, why_not_blockable

logger = logging.getLogger(__name__)

TICK_SECONDS = 2.0
# A botnet that runs into honeypots fills the table; measured: 50,000 blocks take 9 MB.
MOST_BLOCKS = 50_000

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


class _Networks:
    """Networks and when each is blocked until, to look addresses up in. Never changed once made."""

    def __init__(self, blocks: Iterable[tuple[Network, float]]) -> None:
        # IP version → length of prefix → (first bits of the address → Unix time).
        self._tables: dict[int, dict[int, dict[int, float]]] = {4: {}, 6: {}}
        for network, until in blocks:
            table = self._tables[network.version].setdefault(network.prefixlen, {})
            shift = network.max_prefixlen - network.prefixlen
            table[int(network.network_address) >> shift] = until
        self.is_empty = not any(self._tables.values())

    def find(self, client_ip: str, now: float) -> str | None:
        """Return the network that is blocked and holds the address."""
        address = parse_address(client_ip)
        if address is None:
            return None
        bits = int(address)
        for prefix, table in self._tables[address.version].items():
            first_bits = bits >> (address.max_prefixlen - prefix)
            if table.get(first_bits, 0.0) > now:
                base = first_bits << (address.max_prefixlen - prefix)
                return f"{type(address)(base)}/{prefix}"
        return None


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
        self._networks = _Networks([])
        self._digest: Any = None

    def refresh(self) -> None:
        """Read the list when it changed. A database that is away leaves the last one standing."""
        with self._refreshing:
            try:
                # The counters' connections: beside the requests' own, with short time limits.
                (digest,) = connections.fetch(_DIGEST)
                if digest != self._digest:
                    rows = connections.fetch(_ACTIVE, [MOST_BLOCKS])
                    # Older than the rows at worst: then they are read once more.
                    self._networks, self._digest = _Networks(_blockable(rows)), digest
            except DatabaseError as error:
                self._note_outage(error)
            else:
                self._note_return()

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


def _blockable(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Network, float]]:
    """Yield the networks of rows that may be blocked.

    SECURITY: the services refuse the others; a row that came past them must not close the system
    to its own machine, its proxies or its staff.
    """
    for text, until in rows:
        try:
            network = parse_network(text)
            refusal = why_not_blockable(network)
        except NotBlockable as error:
            refusal = str(error)
        if refusal is None:
            yield network, _FOR_EVER if until is None else until
        else:
            logger.warning("A block is not enforced: %s", refusal)


# The one of this process.
block_list: Final = BlockList()


def is_from_blocked_address(environ: dict[str, Any]) -> bool:
    """Tell whether a request, known by its WSGI environment alone, will be refused."""
    return block_list.find(client_ip_of(environ, env.trusted_proxies)) is not None
