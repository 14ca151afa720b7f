"""What passes between page and server: base64url, and what breaks when it is made up."""

import binascii
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from pyasn1.error import PyAsn1Error
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

# What the parsers of the package let through for input that somebody made up.
MALFORMED: Final = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RecursionError,
    binascii.Error,
    InvalidSignature,
    PyAsn1Error,
)


def decode(text: Any) -> bytes:
    """Return the bytes of a base64url text; raises one of `MALFORMED`."""
    if not isinstance(text, str):
        raise TypeError("not a text")
    return base64url_to_bytes(text)


def encode(raw: bytes) -> str:
    """Return bytes as base64url."""
    return bytes_to_base64url(raw)
