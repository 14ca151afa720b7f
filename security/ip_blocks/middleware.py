"""Refuses the requests of blocked networks, before anything else is done for them."""

import time
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from crm.api.envelope import failure_response
from crm.api.errors import IpNotAllowed
from crm.api.middleware import is_html_path
from security.events.types import EventType
from security.ip_blocks.matcher import block_list
from security.rate_limits.refusals import record_once
from security.request.context import in_context

# A load balancer that calls from a blocked network would take the server out of service; these
# two tell nothing but whether it serves.
ALWAYS_ANSWERED: Final = frozenset({"/v1/health", "/v1/health/ready"})
MESSAGE: Final = "Requests from this address are blocked."
_WINDOW_SECONDS = 60 * 60


class BlockedAddressMiddleware:
    """Answer 403 to `request.client_ip` of a blocked network."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        network = block_list.find(in_context(request).client_ip)
        if network is None or request.path in ALWAYS_ANSWERED:
            return self.get_response(request)
        return self._refuse(request, network)

    def _refuse(self, request: HttpRequest, network: str) -> HttpResponse:
        # Who is blocked calls as often as he likes: one event an hour and block.
        window = int(time.time()) // _WINDOW_SECONDS
        record_once(
            EventType.ADDRESS_DENIED,
            subject=network,
            until=(window + 1) * _WINDOW_SECONDS,
            blocked_network=network,
        )
        error = IpNotAllowed(MESSAGE)
        if is_html_path(request.path):
            text = f"{MESSAGE}\nRequest {in_context(request).request_id}\n"
            return HttpResponse(text, status=error.status, content_type="text/plain; charset=utf-8")
        return failure_response(error, request)
