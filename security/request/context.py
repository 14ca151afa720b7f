"""What RequestContextMiddleware puts on every request."""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request


class ContextRequest(HttpRequest):
    """A request as the views see it; a type only, Django makes the object."""

    request_id: str
    client_ip: str
    arrived_at: float
    after_response: list[Callable[[], None]]
    security_events: list[dict[str, Any]]
    # The API key whose secret proved right: a `security.api_keys.usage.UsedKey`.
    used_key: Any


def in_context(request: HttpRequest | Request) -> ContextRequest:
    """Return Django's request, also of DRF's, with the attributes of the middleware."""
    return cast(ContextRequest, request._request if isinstance(request, Request) else request)
