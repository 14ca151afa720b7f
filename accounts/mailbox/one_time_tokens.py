"""Tokens that work once, for a time: issued into a mail, consumed by whoever can read it.

32 random bytes (ASVS v5.0.0-6.4.1, 7.2.3); the table holds their SHA-256 alone. Unlike passwords
they cannot be guessed, so that a fast hash is enough.
"""

import hashlib
import secrets
import uuid
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from django.utils import timezone

from accounts.models import OneTimeToken, TokenPurpose

LIFETIMES: Final[Mapping[TokenPurpose, timedelta]] = {
    TokenPurpose.VERIFY_EMAIL: timedelta(hours=24),
    TokenPurpose.CHANGE_EMAIL: timedelta(hours=24),
    TokenPurpose.RESET_PASSWORD: timedelta(minutes=30),
}
_RANDOM_BYTES = 32


def new_token() -> tuple[str, str]:
    """Return a random token, and its hash as it is stored."""
    raw = secrets.token_urlsafe(_RANDOM_BYTES)
    return raw, hash_token(raw)


def hash_token(raw: str) -> str:
    """Return the hash by which a token is found."""
    return hashlib.sha256(raw.encode()).hexdigest()


def issue(*, user_id: uuid.UUID, purpose: TokenPurpose, email: str) -> str:
    """Return a new token that is mailed to the address. The one before it works no more.

    SECURITY: call it inside the job that sends the mail: what a queue holds is stored.
    """
    raw, token_hash = new_token()
    now = timezone.now()
    token = OneTimeToken(
        user_id=user_id,
        purpose=purpose,
        email=email,
        token_hash=token_hash,
        created_at=now,
        expires_at=now + LIFETIMES[purpose],
    )
    # One statement: of two at once, the later one stays.
    OneTimeToken.objects.bulk_create(
        [token],
        update_conflicts=True,
        unique_fields=["user", "purpose"],
        update_fields=["email", "token_hash", "created_at", "expires_at", "used_at"],
    )
    return raw


def find(raw: str, *purposes: TokenPurpose) -> OneTimeToken | None:
    """Return a token that still works, with its user, and leave it as it is."""
    return (
        OneTimeToken.objects.filter(
            token_hash=hash_token(raw),
            purpose__in=purposes,
            used_at=None,
            expires_at__gt=timezone.now(),
        )
        .select_related("user")
        .first()
    )


def consume(token: OneTimeToken) -> bool:
    """Use a token up; tell whether it was there to be used.

    One UPDATE decides: of sixteen at once, one changes the row, and the others find it changed.
    Within a transaction they wait for its end, and a rollback gives the token back.
    """
    now = timezone.now()
    unused = OneTimeToken.objects.filter(
        token_hash=token.token_hash, used_at=None, expires_at__gt=now
    )
    return unused.update(used_at=now) == 1


def revoke(*, user_id: uuid.UUID, purposes: Collection[TokenPurpose]) -> None:
    """Let a user's tokens for some purposes work no more."""
    OneTimeToken.objects.filter(user_id=user_id, purpose__in=purposes).delete()
