"""The one form of an email address by which an account is found, counted and locked."""

import unicodedata
from typing import Any

from django.http import HttpRequest

from crm.env import env
from crm.env.parsers import derive_secret

LONGEST_ADDRESS = 254  # RFC 5321: a path is 256 octets with its brackets.
_NO_ADDRESS = "no-address:"


def normalize_email(raw: str) -> str:
    """Return the address after NFKC, strip and casefold (PRECIS-like; ASVS v5.0.0-6.3.1).

    ` Alice@X ` and full-width letters are one account and one lockout counter. Casefolding can
    undo NFKC, so NFKC runs again.
    """
    folded = unicodedata.normalize("NFKC", raw).strip().casefold()
    return unicodedata.normalize("NFKC", folded)


def failure_name(raw: str) -> str:
    """Return the name under which failures on an address are counted and stored.

    What holds no @ is no address, but may be a password in the wrong field: of that, only a keyed
    digest is kept. So it is of what normalising made longer than any address.
    """
    name = normalize_email(raw)
    if ("@" in name or name.startswith(_NO_ADDRESS)) and len(name) <= LONGEST_ADDRESS:
        return name
    return _NO_ADDRESS + derive_secret(env.secret_key, purpose=f"failure-name:{name}")


def axes_username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the name under which django-axes counts a failure (AXES_USERNAME_CALLABLE).

    `accounts.guards.password_check` has chosen it where a known device has a counter of its own.
    """
    chosen: str | None = getattr(request, "failure_counter", None)
    return chosen or failure_name(str((credentials or {}).get("username", "")))
