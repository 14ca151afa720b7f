"""The refresh cookie and the proof that a call on it comes from our own page."""

from datetime import datetime

from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from crm.api.errors import CsrfFailed, UnsupportedMediaType
from crm.env import env

COOKIE_NAME = "__Host-refreshToken" if env.cookie_secure else "refreshToken"


def set_refresh_cookie(response: HttpResponseBase, raw_token: str, expires_at: datetime) -> None:
    """Give the browser its refresh token, out of reach of scripts (ASVS v5.0.0-3.3.4)."""
    response.set_cookie(
        COOKIE_NAME,
        raw_token,
        max_age=max(0, int((expires_at - timezone.now()).total_seconds())),
        path="/",
        # The __Host- prefix forbids a domain.
        domain=None if env.cookie_secure else env.cookie_domain,
        secure=env.cookie_secure,
        httponly=True,
        samesite=env.cookie_samesite,  # type: ignore[arg-type]  # parsed to one of the three
    )


def clear_refresh_cookie(response: HttpResponseBase) -> None:
    """Take the cookie back at sign-out; nowhere else, since a race's loser would lose it all."""
    response.set_cookie(
        COOKIE_NAME,
        "",
        max_age=0,
        path="/",
        domain=None if env.cookie_secure else env.cookie_domain,
        secure=env.cookie_secure,
        httponly=True,
        samesite=env.cookie_samesite,  # type: ignore[arg-type]  # parsed to one of the three
    )


def refresh_cookie(request: Request) -> str | None:
    """Return the browser's refresh token, if it sent one."""
    return request.COOKIES.get(COOKIE_NAME) or None


def require_own_page(request: Request) -> None:
    """Raise `CsrfFailed` unless a browser's call comes from this site or an allowed origin, and
    `UnsupportedMediaType` unless it is JSON, which no cross-site form can send.

    Fetch Metadata and Origin as OWASP's CSRF sheet has them (ASVS v5.0.0-3.5.1). Clients that are
    no browsers send neither header.
    """
    media_type = (request.content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType
    origin = request.headers.get("Origin")
    if origin is not None and origin in env.cors_allowed_origins:
        return
    if origin is not None and not _is_own_origin(request, origin):
        raise CsrfFailed
    if request.headers.get("Sec-Fetch-Site", "").lower() == "cross-site":
        raise CsrfFailed


def _is_own_origin(request: Request, origin: str) -> bool:
    return origin == f"{request.scheme}://{request.get_host()}"
