"""The written form of an API key: `crm_<id>_<secret>_<checksum>`, base62."""

import re
import secrets
import string
import zlib
from typing import NamedTuple

PREFIX = "crm_"
KEY_ID_LENGTH = 12
SECRET_LENGTH = 40
CHECKSUM_LENGTH = 6
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(r"crm_([0-9A-Za-z]{12})_([0-9A-Za-z]{40})_([0-9A-Za-z]{6})", re.ASCII)


class ApiKeyParts(NamedTuple):
    """A key taken apart; `secret` is about 238 random bits."""

    key_id: str
    secret: str

    @property
    def written(self) -> str:
        """The whole key, as its holder sends it."""
        body = f"{PREFIX}{self.key_id}_{self.secret}"
        return f"{body}_{_checksum(body)}"


def generate_key() -> ApiKeyParts:
    """Return a new random key."""
    return ApiKeyParts(key_id=_random_text(KEY_ID_LENGTH), secret=_random_text(SECRET_LENGTH))


def parse_key(written: str) -> ApiKeyParts | None:
    """Return the parts of a well-formed key. The checksum only tells typing errors and look-alikes
    apart without a query; it proves nothing."""
    match = _KEY.fullmatch(written)
    if match is None or _checksum(f"{PREFIX}{match[1]}_{match[2]}") != match[3]:
        return None
    return ApiKeyParts(key_id=match[1], secret=match[2])


def looks_like_key(token: str) -> bool:
    """Tell whether a bearer token is meant to be an API key."""
    return token.startswith(PREFIX)


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_BASE62) for _ in range(length))


def _checksum(body: str) -> str:
    number, text = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_BASE62))
        text = _BASE62[digit] + text
    return text
