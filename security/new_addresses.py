"""Email addresses that somebody wants to use from now on: registered, invited, changed to.

Stricter than what is found by an address (`security.identifiers`): whoever has another kind of
address already keeps it.
"""

import re
import unicodedata

from disposable_email_domains import blocklist

from crm.api.errors import ValidationFailed
from crm.env import env
from security.identifiers import LONGEST_ADDRESS, normalize_email

# RFC 5321's dot-string at a host name. Quoted local parts and addresses of machines are left out:
# they are hardly ever mail to a person, and often meant to be read differently along the way.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+{_LABEL})", re.ASCII)
_LONGEST_LOCAL_PART = 64

NOT_AN_ADDRESS = "Enter an email address, such as name@example.com."
NOT_ASCII = "Use an address of ASCII letters; write other domains as xn--…."
DISPOSABLE = "Use a lasting address: this domain gives out throw-away ones."


def require_new_address(raw: str, *, field: str = "email") -> str:
    """Return the address in the form in which it is kept; raises `ValidationFailed`."""
    try:
        return new_address(raw)
    except ValueError as error:
        raise ValidationFailed(details={field: [str(error)]}) from error


def new_address(raw: str) -> str:
    """Return the address in the form in which it is kept; raises ValueError with what is wrong.

    SECURITY: full-width letters are the same letters; a dotless i, a Cyrillic a or a zero-width
    space would be another account that looks the same, and folding ß to ss another domain's mail.
    """
    compatible = unicodedata.normalize("NFKC", raw).strip()
    if not compatible.isascii():
        raise ValueError(NOT_ASCII)
    address = normalize_email(compatible)
    match = _ADDRESS.fullmatch(address)
    if match is None or len(address) > LONGEST_ADDRESS or len(match[1]) > _LONGEST_LOCAL_PART:
        raise ValueError(NOT_AN_ADDRESS)
    if is_disposable(match[2]) and not env.allow_disposable_email:
        raise ValueError(DISPOSABLE)
    return address


def is_disposable(domain: str) -> bool:
    """Tell whether a domain, or one above it, is known to give out throw-away addresses."""
    labels = domain.split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))
