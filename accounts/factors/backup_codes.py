"""Backup codes: ten, random, shown once, each good for one sign-in.

Stored is a keyed SHA-256. A slow hash is for what people make up; to try all 80 random bits is out
of reach at any speed, and ten slow hashes would make a sign-in ten times as dear (ADR 8).
"""

import hashlib
import hmac
import re
import secrets
import uuid

from crm.env import env
from crm.env.parsers import derive_secret

CODE_COUNT = 10
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # Base32 (RFC 4648): 5 bits a letter.
_LENGTH = 16
_GROUP = 4
_FORM = re.compile(r"[a-z2-7]{4}(-?[a-z2-7]{4}){3}", re.ASCII | re.IGNORECASE)


def new_code() -> str:
    """Return a new code of 80 random bits, as people read it: `k3vd-…-…-…`."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(letters[i : i + _GROUP] for i in range(0, _LENGTH, _GROUP))


def is_backup_code(text: str) -> bool:
    """Tell whether a text has the form of a backup code; hyphens and case do not matter."""
    return _FORM.fullmatch(text) is not None


def hashes_of(code: str, *, user_id: uuid.UUID) -> list[str]:
    """Return the hash under each key of the ring; a new code is stored under the first.

    The user is part of it: what is copied to another user's row fits nobody.
    """
    plain = f"{user_id}:{code.replace('-', '').lower()}".encode()
    return [hmac.new(key, plain, hashlib.sha256).hexdigest() for key in _KEYS]


_KEYS = [
    derive_secret(secret, purpose="backup-code").encode() for _key_id, secret in env.factor_keys
]
