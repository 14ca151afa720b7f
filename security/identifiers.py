"""The one form of an email address by which an account is found, counted and locked."""

import unicodedata
from typing import Any

from django.http import HttpRequest


def normalize_email(raw: str) -> str:
    """Return the address after NFKC, strip and casefold (PRECIS-like; ASVS v5.0.0-6.3.1).

    ` Alice@X ` and full-width letters are one account and one lockout counter. Casefolding can
    undo NFKC, so NFKC runs again.
    """
    folded = unicodedata.normalize("NFKC", raw).strip().casefold()
    return unicodedata.normalize("NFKC", folded)


def axes_username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the name under which django-axes counts a failure (AXES_USERNAME_CALLABLE)."""
    return normalize_email(str((credentials or {}).get("username", "")))
