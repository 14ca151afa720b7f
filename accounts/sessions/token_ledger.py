"""The ledger of refresh tokens: simplejwt's outstanding and blacklist tables.

It holds a SHA-256 in place of each token (simplejwt's own code would store the token itself).
"""

import hashlib

from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import Session
from accounts.sessions.tokens import RefreshToken, refresh_jti


def record_issued(session: Session, token: RefreshToken, raw_token: str) -> None:
    """Enter a refresh token."""
    OutstandingToken.objects.create(
        user_id=session.user_id,
        jti=token["jti"],
        token=hashlib.sha256(raw_token.encode()).hexdigest(),
        created_at=session.rotated_at,
        expires_at=session.refresh_expires_at,
    )


def record_used(session: Session, generation: int) -> None:
    """Strike out the refresh token of a generation."""
    jti = refresh_jti(session.pk, generation)
    issued = OutstandingToken.objects.filter(jti=jti).values_list("pk", flat=True).first()
    if issued is not None:
        BlacklistedToken.objects.create(token_id=issued)
