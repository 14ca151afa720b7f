"""The client's address, taken once: lockout, limits, allow lists and records use this value."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from crm.env.parsers import Networks
from security.request.context import in_context

_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9.]+))(?::[0-9]{1,5})?", re.ASCII)
UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 (an address, not a socket to listen on)


def resolve_client_ip(request: HttpRequest, trusted_proxies: Networks) -> str:
    """Return the right-most address of the chain that is not a trusted proxy."""
    return client_ip_of(request.META, trusted_proxies)


def client_ip_of(environ: Mapping[str, Any], trusted_proxies: Networks) -> str:
    """Return the same of a WSGI environment.

    SECURITY: `X-Forwarded-For` grows to the right; what stands left of the first address that no
    trusted proxy vouches for was written by the client (ASVS v5.0.0-4.1.3).
    """
    peer = parse_address(environ.get("REMOTE_ADDR", ""))
    if peer is None:
        return UNKNOWN_ADDRESS
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while is_in_networks(peer, trusted_proxies) and forwarded:
        hop = parse_address(_without_port(forwarded.pop().strip()))
        if hop is None:
            break
        peer = hop
    return str(peer)


def is_from_trusted_proxy(request: HttpRequest, trusted_proxies: Networks) -> bool:
    """Tell whether the connection itself comes from a trusted proxy."""
    peer = parse_address(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and is_in_networks(peer, trusted_proxies)


def parse_address(raw: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address, an IPv4 one when it is written as IPv6; None for anything else.

    The zone of a link-local address (`fe80::1%eth0`) is left out: PostgreSQL's inet knows none.
    """
    try:
        address = ipaddress.ip_address(raw.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _without_port(hop: str) -> str:
    """Return a hop's address: some proxies write `203.0.113.7:4711` and `[2001:db8::1]:4711`."""
    match = _WITH_PORT.fullmatch(hop)
    return hop if match is None else match["v6"] or match["v4"]


def is_in_networks(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Networks
) -> bool:
    """Tell whether one of the networks holds the address."""
    return any(address in network for network in networks)


def axes_client_ip(request: HttpRequest) -> str:
    """Return the address under which django-axes records a failure (AXES_CLIENT_IP_CALLABLE)."""
    return in_context(request).client_ip
