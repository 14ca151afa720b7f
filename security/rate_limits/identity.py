"""Whom a call is counted against."""

import ipaddress
from functools import lru_cache
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.request import Request

from security.request.actors import Actor

# One subscriber holds a /64 at least, and changes the lower half at will.
_IPV6_PREFIX = 64


def http_request_of(request: HttpRequest | Request) -> Any:
    """Return the Django request inside a DRF request: what is noted on it reaches middleware."""
    return getattr(request, "_request", request)


def address_value(http_request: Any) -> str:
    """Return the client's address as it is counted: the /64 of an IPv6 address.

    SECURITY: there is no fall-back to REMOTE_ADDR; behind a proxy all callers would share it.
    """
    client_ip = getattr(http_request, "client_ip", None)
    if not client_ip:
        raise ImproperlyConfigured(
            "request.client_ip is missing: RequestContextMiddleware must run before rate limits"
        )
    return _masked(client_ip) if ":" in client_ip else str(client_ip)


def caller_value(actor: Actor) -> str:
    """Return the user or the key as it is counted."""
    return f"{actor.kind.value}:{actor.id}"


def session_value(actor: Actor) -> str:
    """Return the session of a signed-in user as it is counted."""
    return f"session:{actor.own_session_id}"


@lru_cache(maxsize=4096)
def _masked(client_ip: str) -> str:
    address = ipaddress.IPv6Address(client_ip)
    # SECURITY: all of IPv4 lies in one /64 when written as IPv6; unmasked, strangers share it.
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    network = ipaddress.IPv6Network((address.packed, _IPV6_PREFIX), strict=False)
    return str(network.network_address)
