"""Keyed hashes of API keys' secrets: a dump of the table, without the pepper, proves no guess."""

import hashlib
import hmac

from crm.env import env


def hash_secret(secret: str) -> tuple[str, str]:
    """Return (pepper id, HMAC-SHA256 in hexadecimal) under the first pepper."""
    pepper_id, pepper = env.api_key_peppers[0]
    return pepper_id, _digest(pepper, secret)


def verify_secret(secret: str, *, pepper_id: str, digest: str) -> bool:
    """Compare in constant time; an unknown pepper id verifies nothing."""
    pepper = dict(env.api_key_peppers).get(pepper_id)
    expected = _digest(pepper or "", secret)
    return hmac.compare_digest(expected, digest) and pepper is not None


def _digest(pepper: str, secret: str) -> str:
    return hmac.new(pepper.encode(), secret.encode(), hashlib.sha256).hexdigest()
