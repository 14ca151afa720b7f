"""A table of networks that tells whether one of them holds an address: a lookup for each prefix."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from security.ip_blocks.networks import NotBlockable, parse_network, why_not_blockable
from security.request.client_ip import parse_address

logger = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a network stands in the table: the bits that all of its addresses begin with."""

    version: int
    prefix: int
    first_bits: int


class NetworkTable:
    """Networks and until when each is blocked, as Unix time. Never changed once it is made."""

    def __init__(self, blocks: Iterable[tuple[Place, float]] = ()) -> None:
        # IP version → length of prefix → (first bits → until when).
        self._tables: dict[int, dict[int, dict[int, float]]] = {4: {}, 6: {}}
        for (version, prefix, first_bits), until in blocks:
            self._tables[version].setdefault(prefix, {})[first_bits] = until
        self.is_empty = not any(self._tables.values())

    def find(self, client_ip: str, now: float) -> str | None:
        """Return a network that holds the address and is blocked now."""
        address = parse_address(client_ip)
        if address is None:
            return None
        bits = int(address)
        for prefix, table in self._tables[address.version].items():
            rest = address.max_prefixlen - prefix
            if table.get(bits >> rest, 0.0) > now:
                return f"{type(address)(bits >> rest << rest)}/{prefix}"
        return None


def place_of(text: str) -> Place | None:
    """Return the place of a network; None for one that must not be blocked.

    SECURITY: the services refuse such a network; a row that came past them must not close the
    system to its own machine, its proxies or its staff.
    """
    try:
        network = parse_network(text)
        refusal = why_not_blockable(network)
    except NotBlockable as error:
        refusal = str(error)
    if refusal is not None:
        logger.warning("A block is not enforced: %s", refusal)
        return None
    rest = network.max_prefixlen - network.prefixlen
    return Place(network.version, network.prefixlen, int(network.network_address) >> rest)
