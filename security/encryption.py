"""Secrets that must be read again, encrypted at rest: AES-256-GCM under a ring of keys.

What only has to be recognised is hashed instead (security.api_keys.secret_hash).
"""

import base64
import os
from collections.abc import Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm.env.parsers import KeyRing, derive_secret

_NONCE_BYTES = 12  # NIST SP 800-38D, section 8.2.


class Undecryptable(Exception):
    """The key is no longer in the ring, or the text was changed or belongs to something else."""


def encrypt(plain: bytes, *, ring: KeyRing, belongs_to: str) -> str:
    """Return `key id.base64 of nonce and ciphertext`, under the first key of the ring.

    SECURITY: `belongs_to` names the owner and the purpose, and is authenticated with the text: one
    who may write the table cannot give the victim the attacker's own secret by copying it.
    """
    key_id = ring[0][0]
    nonce = os.urandom(_NONCE_BYTES)
    sealed = _ciphers(ring)[key_id].encrypt(nonce, plain, belongs_to.encode())
    return f"{key_id}.{base64.b64encode(nonce + sealed).decode()}"


def decrypt(stored: str, *, ring: KeyRing, belongs_to: str) -> bytes:
    """Return what was encrypted; raises `Undecryptable`."""
    key_id, _, encoded = stored.partition(".")
    try:
        raw = base64.b64decode(encoded, validate=True)
        cipher = _ciphers(ring)[key_id]
        return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], belongs_to.encode())
    except (KeyError, ValueError, InvalidTag) as error:
        raise Undecryptable(f"Key {key_id[:32]!r} does not open it.") from error


@lru_cache(maxsize=8)
def _ciphers(ring: KeyRing) -> Mapping[str, AESGCM]:
    return {
        key_id: AESGCM(bytes.fromhex(derive_secret(secret, purpose="aes-256-gcm")))
        for key_id, secret in ring
    }
