"""Signed tokens: typed, from a ring of keys, HS256 only (RFC 8725; ASVS v5.0.0-9.1, 9.2)."""

import time
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Self

import jwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken
from rest_framework_simplejwt.tokens import Token

from accounts.models import Session
from crm.db.ids import uuid7
from crm.env import env
from crm.env.parsers import KeyRing

ALGORITHM = "HS256"
REMEMBERED_TOKENS = 4096
HEADER_FIELDS = {"alg", "typ", "kid"}
REQUIRED_CLAIMS = ["iss", "aud", "sub", "sid", "iat", "exp", "jti", "typ"]


class KeyRingTokenBackend(TokenBackend):
    """Signs with the first key of the ring and verifies with the one that `kid` names.

    SECURITY: `kid` only chooses among our own keys, the algorithm is fixed, and a token with any
    other header field, such as `jwk`, `jku` or `crit`, is none of ours (ASVS v5.0.0-9.1.3).
    """

    def __init__(self, ring: KeyRing, *, issuer: str, audience: str) -> None:
        super().__init__(ALGORITHM, signing_key=ring[0][1], issuer=issuer, audience=audience)
        self.signing_key_id, self.signing_secret = ring[0]
        self.keys = dict(ring)
        self._verified_claims = lru_cache(maxsize=REMEMBERED_TOKENS)(self._verify)

    def encode(self, payload: dict[str, Any]) -> str:
        claims = {**payload, "iss": self.issuer, "aud": self.audience}
        headers = {"kid": self.signing_key_id}
        return jwt.encode(claims, self.signing_secret, algorithm=ALGORITHM, headers=headers)

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return the claims. With `verify` off an expired token passes, a forged one never does."""
        claims = self._verified_claims(str(token))
        if verify and claims["exp"] <= time.time():
            raise TokenBackendExpiredToken("Token is expired")
        return dict(claims)

    def _verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token whose signature and claims are right, expired or not.

        A token comes back with each call of its client, so what proved right once is remembered
        (`_verified_claims`). What a signature proves does not change; time is judged each time.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key_of(token),
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                audience=self.audience,
                options={"require": REQUIRED_CLAIMS, "strict_aud": True, "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            raise TokenBackendError("Token is invalid") from error
        if type(claims["exp"]) is not int:
            raise TokenBackendError("Token has no expiry")
        return claims

    def _key_of(self, token: str) -> str:
        header = jwt.get_unverified_header(token)
        key = self.keys.get(header.get("kid", ""))
        if key is None or not header.keys() <= HEADER_FIELDS:
            raise TokenBackendError("Token is not signed by a key of the ring")
        return key


class SessionToken(Token):
    """A token that names the session it belongs to."""

    _token_backend = KeyRingTokenBackend(
        env.jwt_keys,
        issuer=env.jwt_issuer,
        audience=f"{env.jwt_issuer}-api",
    )

    @property
    def session_id(self) -> uuid.UUID:
        """The session's id. Raises ValueError when the claim is not a UUID."""
        return uuid.UUID(self.payload["sid"])

    @property
    def user_id(self) -> uuid.UUID:
        """The user's id. Raises ValueError when the claim is not a UUID."""
        return uuid.UUID(self.payload["sub"])


class AccessToken(SessionToken):
    """Opens the API for a few minutes, as long as its session stands."""

    token_type = "access"  # noqa: S105 (a claim's value)
    lifetime = env.jwt_access_token_expiry

    @classmethod
    def for_session(cls, session: Session, *, team_id: uuid.UUID) -> Self:
        """Return a new access token of the session for one of its user's teams."""
        token = cls()
        token.payload |= {
            "sub": str(session.user_id),
            "sid": str(session.pk),
            "team": str(team_id),
        }
        # No token outlives its session's absolute end.
        token.payload["exp"] = min(token.payload["exp"], int(session.expires_at.timestamp()))
        return token

    @property
    def team_id(self) -> uuid.UUID:
        """The team's id. Raises KeyError or ValueError when the claim is missing or no UUID."""
        return uuid.UUID(self.payload["team"])

    @property
    def lifetime_left(self) -> timedelta:
        """The time from issue to expiry."""
        return timedelta(seconds=self.payload["exp"] - self.payload["iat"])


class RefreshToken(SessionToken):
    """Gets the next access token, once."""

    token_type = "refresh"  # noqa: S105 (a claim's value)
    lifetime = env.jwt_refresh_token_expiry

    @classmethod
    def of_generation(cls, session: Session) -> Self:
        """Return the token of the session's present generation.

        It is made of what the session row says and nothing else, so the same row always gives the
        same token: a second tab gets the very successor that the first one got, and no token has
        to be stored for that.
        """
        token = cls()
        token.payload |= {
            "sub": str(session.user_id),
            "sid": str(session.pk),
            "gen": session.generation,
            "jti": refresh_jti(session.pk, session.generation),
            "iat": int(session.rotated_at.timestamp()),
            "exp": int(session.refresh_expires_at.timestamp()),
        }
        return token

    @property
    def generation(self) -> int:
        """The generation claim. Raises ValueError when it is missing or no whole number."""
        generation = self.payload.get("gen")
        if type(generation) is not int:
            raise ValueError("gen is not a whole number")
        return generation

    @property
    def expires_at(self) -> datetime:
        """When the token ends."""
        return datetime.fromtimestamp(self.payload["exp"], tz=self.current_time.tzinfo)


def refresh_jti(session_id: uuid.UUID, generation: int) -> str:
    """Return the id of a refresh token in the ledger."""
    return f"{session_id.hex}.{generation}"


class MfaToken(SessionToken):
    """Stands for a password that proved right until the second factor does; opens nothing else.

    `sid` is the id that the session will have, so one token opens one session: ids are unique.
    """

    token_type = "mfa"  # noqa: S105 (a claim's value)
    lifetime = timedelta(minutes=5)

    @classmethod
    def pending_for(
        cls, user_id: uuid.UUID, *, fingerprint: str, device_name: str, in_body: bool
    ) -> Self:
        """Return a new token that holds what the second step needs of the first."""
        token = cls()
        token.payload |= {
            "sub": str(user_id),
            "sid": str(uuid7()),
            "bound_to": fingerprint,
            "device": device_name,
            "in_body": in_body,
        }
        return token

    @property
    def fingerprint(self) -> str:
        """What password and factors were; nothing fits once either changed."""
        return str(self.payload.get("bound_to", ""))

    @property
    def device_name(self) -> str:
        """The name that the client gave its device."""
        return str(self.payload.get("device", ""))

    @property
    def in_body(self) -> bool:
        """Whether the client asked for its tokens in the body."""
        return self.payload.get("in_body") is True
