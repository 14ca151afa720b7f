"""Which networks may be blocked, and how they are written."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from crm.env import env
from security.request.client_ip import UNKNOWN_ADDRESS, parse_address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# The widest network of each IP version: a /8 of IPv4 is the most that one holder ever got, a /16
# of IPv6 more than any. Whatever is wider is a slip of the pen.
WIDEST_PREFIX: Final = {4: 8, 6: 16}
# One subscriber holds a /64 at least, and changes the lower half at will.
SUBSCRIBER_PREFIX: Final = {4: 32, 6: 64}
# SECURITY: what stands for all whose address is not known is nobody's; probes come from loopback.
_NEVER_BLOCKED: Final = (
    ("this machine", ipaddress.ip_network("127.0.0.0/8")),
    ("this machine", ipaddress.ip_network("::1")),
    ("callers without an address", ipaddress.ip_network(UNKNOWN_ADDRESS)),
    ("callers without an address", ipaddress.ip_network("::")),
)


class NotBlockable(Exception):
    """The text is no network, or one that must not be blocked. The message says which and why."""


def parse_network(text: str) -> Network:
    """Return an address or a network in its usual form; raises `NotBlockable` for anything else."""
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise NotBlockable(f"Not an IP address or network: {error}.") from error
    if "%" in text:
        raise NotBlockable("Not an IP address or network: leave the zone out.")
    return plain(network)


def plain(network: Network) -> Network:
    """Return a network of IPv4 addresses written as IPv6 as what it is; any other as it is.

    Clients are always known by the IPv4 address (security.request.client_ip).
    """
    mapped = network.network_address
    if isinstance(mapped, ipaddress.IPv6Address) and mapped.ipv4_mapped is not None:
        # The mapped addresses are one /96.
        return ipaddress.ip_network((mapped.ipv4_mapped, max(0, network.prefixlen - 96)))
    return network


def subscriber_network(client_ip: str) -> Network | None:
    """Return what a rule blocks for a client's address: it alone, of IPv6 its /64."""
    address = parse_address(client_ip)
    if address is None:
        return None
    return ipaddress.ip_network((address, SUBSCRIBER_PREFIX[address.version]), strict=False)


def why_not_blockable(network: Network) -> str | None:
    """Return the reason why a network is never blocked; None when it may be."""
    widest = WIDEST_PREFIX[network.version]
    if network.prefixlen < widest:
        return f"{network} is too wide: block at most a /{widest}."
    for owner, exempt in exempt_networks():
        if network.version == exempt.version and network.overlaps(exempt):
            return f"{network} is never blocked: {exempt} is exempt ({owner})."
    return None


def exempt_networks() -> Iterator[tuple[str, Network]]:
    """Yield what is never blocked, each with the reason."""
    yield from _NEVER_BLOCKED
    for name in ("trusted_proxies", "admin_allowed_ips", "block_exempt_networks"):
        for network in getattr(env, name):
            yield name.upper(), plain(network)
