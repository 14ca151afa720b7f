"""Django's session, form and message middleware, for pages only.

The API carries its credential in each call: there, these four cost a tenth of a request's time and
do nothing. Subclasses, so that Django's own system checks find them.
"""

from dataclasses import asdict
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

JSON_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"


class _HtmlOnly:
    """Steps aside outside HTML_PATH_PREFIXES."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)  # type: ignore[call-arg]  # the next class is a middleware
        self.next_layer = get_response
        self.prefixes = tuple(settings.HTML_PATH_PREFIXES)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(self.prefixes):
            response: HttpResponseBase = super().__call__(request)  # type: ignore[misc]  # as above
            return response
        answer: HttpResponseBase = self.next_layer(request)
        return answer


class HtmlSessionMiddleware(_HtmlOnly, SessionMiddleware):
    """The admin's session."""


class HtmlCsrfMiddleware(_HtmlOnly, CsrfViewMiddleware):
    """Forms of the admin carry a token; calls on the refresh cookie have their own proof."""

    def process_view(self, request: HttpRequest, *args: Any) -> Any:
        """Check forms only."""
        if request.path.startswith(self.prefixes):
            return super().process_view(request, *args)
        return None


class HtmlAuthenticationMiddleware(_HtmlOnly, AuthenticationMiddleware):
    """The signed-in member of staff."""


class HtmlMessageMiddleware(_HtmlOnly, MessageMiddleware):
    """The admin's messages."""


class HtmlCspMiddleware(CSPMiddleware):
    """The policy of pages from CONTENT_SECURITY_POLICY; JSON loads nothing and gets just that."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Set the header that fits what is answered."""
        if response.headers.get("Content-Type", "").startswith("application/json"):
            response.headers["Content-Security-Policy"] = JSON_POLICY
            return response
        answer: HttpResponseBase = super().process_response(request, response)
        if HEADER not in answer.headers:
            # The package spares Django's debug pages, and with them every 404 in development.
            parts = self.get_policy_parts(request=request, response=response)
            answer.headers[HEADER] = build_policy(**asdict(parts))
        return answer
