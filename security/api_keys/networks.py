"""Allow lists of networks on API keys."""

import ipaddress
from collections.abc import Iterable, Sequence

from security.request.client_ip import is_in_networks, parse_address


def parse_networks(raw: Iterable[str]) -> list[str]:
    """Return the networks in their usual form; raises ValueError for anything else."""
    return [str(ipaddress.ip_network(text.strip())) for text in raw]


def is_allowed_address(client_ip: str, allowed: Sequence[str]) -> bool:
    """Tell whether an address may use the key; an empty list allows every address."""
    if not allowed:
        return True
    address = parse_address(client_ip)
    networks = tuple(ipaddress.ip_network(network) for network in allowed)
    return address is not None and is_in_networks(address, networks)
