"""What a device proves itself with: 32 random bytes, bound to one user by an HMAC.

Written as the user's id, the secret and the tag in 86 characters. The tag keeps made-up tokens
away from the database; it is no proof that the device is still known, which its row tells.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import uuid
from typing import NamedTuple

from crm.env import env
from crm.env.parsers import derive_secret

_ID_BYTES, _SECRET_BYTES, _TAG_BYTES = 16, 32, 16
_KEY = derive_secret(env.secret_key, purpose="device-token").encode()


class DeviceToken(NamedTuple):
    """A token whose tag is right."""

    user_id: uuid.UUID
    secret: bytes

    @property
    def hash(self) -> str:
        """What the device's row holds in place of the token."""
        return hashlib.sha256(self.secret).hexdigest()

    def __str__(self) -> str:
        signed = self.user_id.bytes + self.secret
        return base64.urlsafe_b64encode(signed + _tag(signed)).rstrip(b"=").decode()


def new_token(user_id: uuid.UUID) -> DeviceToken:
    """Return a token that nobody has seen."""
    return DeviceToken(user_id, secrets.token_bytes(_SECRET_BYTES))


def read_token(raw: str) -> DeviceToken | None:
    """Return the token, or None for what was not signed here."""
    try:
        blob = base64.b64decode(f"{raw}==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    signed, tag = blob[:-_TAG_BYTES], blob[-_TAG_BYTES:]
    if len(signed) != _ID_BYTES + _SECRET_BYTES or not hmac.compare_digest(tag, _tag(signed)):
        return None
    token = DeviceToken(uuid.UUID(bytes=signed[:_ID_BYTES]), signed[_ID_BYTES:])
    # Base64 leaves bits unused; of all spellings only ours is a token.
    return token if str(token) == raw else None


def _tag(signed: bytes) -> bytes:
    return hmac.new(_KEY, signed, hashlib.sha256).digest()[:_TAG_BYTES]
