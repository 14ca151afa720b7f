"""The outermost layer of every request: its id, its address, its headers, what runs after it."""

import logging
import re
import time
from collections.abc import Callable

from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from uuid_utils import uuid7

from crm.api.envelope import failure_response
from crm.api.errors import IpNotAllowed
from crm.env import env
from security.api_keys.usage import count_key_use
from security.events.collector import collecting
from security.events.types import EventType
from security.rate_limits.headers import add_rate_limit_headers
from security.rate_limits.refusals import record_once
from security.request.client_ip import (
    is_from_trusted_proxy,
    is_in_networks,
    parse_address,
    resolve_client_ip,
)
from security.request.context import ContextRequest, in_context

GetResponse = Callable[[HttpRequest], HttpResponseBase]

logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


def security_headers(*, debug: bool) -> dict[str, str]:
    """Return the headers of every answer; HSTS would lock a developer's localhost to HTTPS."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        # With no-referrer, browsers send `Origin: null` with the admin's own forms: refused.
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-site",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
    if not debug:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return headers


_SECURITY_HEADERS = security_headers(debug=env.debug)


class RequestContextMiddleware:
    """Set `request_id`, `client_ip`, `arrived_at` and `after_response` on every request.

    What is put into `request.after_response` runs when the view's transaction has ended, however
    it ended: a record of a refusal must survive the refusal's rollback.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        context = in_context(request)
        sent_id = request.headers.get("X-Request-ID", "")
        context.request_id = sent_id if _REQUEST_ID.fullmatch(sent_id) else str(uuid7())
        context.client_ip = resolve_client_ip(request, env.trusted_proxies)
        context.arrived_at = request.META.get("crm.arrived_at") or time.time()
        context.after_response = []
        self._believe_proxy_about_tls(request)
        with collecting(context):
            response = self.get_response(request)
            self._run_deferred(context)
        count_key_use(context, response.status_code)
        self._add_headers(context, response)
        return response

    def _run_deferred(self, context: ContextRequest) -> None:
        for action in context.after_response:
            try:
                action()
            except DatabaseFailure:
                # The answer is made and stays true; what could not be written is told.
                logger.exception("Not written after the response %s", context.request_id)

    def _believe_proxy_about_tls(self, request: HttpRequest) -> None:
        forwarded = request.META.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
        if forwarded == "https" and is_from_trusted_proxy(request, env.trusted_proxies):
            request.META["wsgi.url_scheme"] = "https"

    def _add_headers(self, request: ContextRequest, response: HttpResponseBase) -> None:
        headers = response.headers
        headers["X-Request-ID"] = request.request_id
        for name, value in _SECURITY_HEADERS.items():
            headers[name] = value
        add_rate_limit_headers(request, response)
        if isinstance(response, HttpResponse):
            headers["Content-Length"] = str(len(response.content))
        if not request.path.startswith("/static/"):
            headers["Cache-Control"] = "no-store"


class AdminAddressMiddleware:
    """Close the admin to addresses outside ADMIN_ALLOWED_IPS, when that is set."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.admin_prefix = f"/{env.admin_path}"

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if env.admin_allowed_ips and request.path.startswith(self.admin_prefix):
            address = parse_address(in_context(request).client_ip)
            if address is None or not is_in_networks(address, env.admin_allowed_ips):
                return self._refuse(request)
        return self.get_response(request)

    def _refuse(self, request: HttpRequest) -> HttpResponse:
        # Nothing counts these calls; so they are recorded once a minute and address.
        minute = int(time.time()) // 60
        record_once(
            EventType.ADDRESS_DENIED,
            subject=in_context(request).client_ip,
            until=(minute + 1) * 60,
            allow_list="admin",
        )
        return failure_response(IpNotAllowed("This address may not open the admin."), request)
