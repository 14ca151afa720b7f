"""Access tokens: one query loads session, user, membership and team, and judges all of them."""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from accounts.models import Session
from accounts.models.session import is_over
from accounts.sessions.tokens import AccessToken
from crm.api.errors import (
    ApiError,
    InvalidToken,
    PasswordChangeRequired,
    SecondFactorRequired,
    SessionRevoked,
    TokenExpired,
)
from crm.db.tenancy import CONTEXT_COLUMNS
from crm.env import env
from security.access.roles import Role
from security.api_keys.format import looks_like_key
from security.request.actors import Actor, ActorKind
from security.request.context import in_context
from security.request.credentials import bearer_token
from security.request.touch import TOUCH_INTERVAL

# Opens the team in the same statement (crm.db.tenancy). No membership: no team, no rows.
_LOAD_SESSION = f"""
    SELECT s.revoked_at, s.expires_at, s.last_seen_at, s.authenticated_at,
           u.email, u.first_name, u.last_name, u.is_active,
           m.role, t.name,
           -- Not looked up unless REQUIRE_2FA_FOR asks.
           CASE WHEN %(asks_factor)s THEN EXISTS (
               SELECT FROM accounts_totpdevice d WHERE d.user_id = u.id AND d.confirmed
               UNION ALL SELECT FROM accounts_passkey p WHERE p.user_id = u.id
           ) END,
           coalesce(u.password_changed_at + make_interval(days => t.password_max_age_days)
                        <= %(now)s
                    AND left(u.password, 1) <> '!', false),
           {
    CONTEXT_COLUMNS.format(
        team_id="t.id", actor_kind="'user'", actor_id="u.id", actor_label="u.email"
    )
}
      FROM accounts_session s
      JOIN accounts_user u ON u.id = s.user_id
      LEFT JOIN accounts_membership m
             ON m.user_id = s.user_id AND m.team_id = %(team_id)s AND m.is_active
      LEFT JOIN accounts_team t ON t.id = m.team_id AND t.is_active
     WHERE s.id = %(session_id)s AND s.user_id = %(user_id)s
"""  # noqa: S608 (constants and placeholders only)


class _Facts(NamedTuple):
    """The first columns of `_LOAD_SESSION`."""

    revoked_at: datetime | None
    expires_at: datetime
    last_seen_at: datetime
    authenticated_at: datetime
    email: str
    first_name: str
    last_name: str
    is_active: bool
    role: str | None
    team_name: str | None
    has_second_factor: bool | None
    is_password_over: bool


class SessionAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>` of a signed-in user."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        """Return the actor; None without a bearer token; raises a 401 of `crm.api.errors`."""
        raw_token = bearer_token(request)
        if raw_token is None or looks_like_key(raw_token):
            return None
        token = read_access_token(raw_token)
        return self._load_actor(request, token), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="crm"'

    def _load_actor(self, request: Request, token: AccessToken) -> Actor:
        now = timezone.now()
        session_id, user_id, team_id = claims_of(token)
        facts = _load_facts(
            request, session_id=session_id, user_id=user_id, team_id=team_id, now=now
        )
        if facts is None or not facts.is_active or facts.team_name is None:
            raise SessionRevoked
        if is_over(
            revoked_at=facts.revoked_at,
            expires_at=facts.expires_at,
            last_seen_at=facts.last_seen_at,
            now=now,
        ):
            raise SessionRevoked
        if now - facts.last_seen_at >= TOUCH_INTERVAL:
            in_context(request).after_response.append(lambda: touch_session(session_id, now))
        role = Role(facts.role or "")
        return Actor(
            kind=ActorKind.USER,
            id=user_id,
            label=facts.email,
            user_id=user_id,
            first_name=facts.first_name,
            last_name=facts.last_name,
            team_id=team_id,
            team_name=facts.team_name,
            role=role,
            has_second_factor=facts.has_second_factor is True,
            duty=_duty(role, facts),
            session_id=session_id,
            authenticated_at=facts.authenticated_at,
            credential_expires_at=datetime.fromtimestamp(token["exp"], tz=now.tzinfo),
        )


def _duty(role: Role, facts: _Facts) -> type[ApiError] | None:
    """Return what the person has to do before anything else."""
    if facts.is_password_over:
        return PasswordChangeRequired
    needs_factor = role is Role.ADMIN and "admin" in env.require_2fa_for
    return SecondFactorRequired if needs_factor and not facts.has_second_factor else None


def read_access_token(raw_token: str) -> AccessToken:
    """Return the verified token; raises `TokenExpired` or `InvalidToken`."""
    try:
        return AccessToken(raw_token)  # type: ignore[arg-type]  # the stub wants a Token
    except ExpiredTokenError as error:
        raise TokenExpired from error
    except TokenError as error:
        raise InvalidToken from error


def claims_of(token: AccessToken) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID]:
    """Return (session id, user id, team id); raises `InvalidToken`."""
    try:
        return token.session_id, token.user_id, token.team_id
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise InvalidToken from error


def touch_session(session_id: uuid.UUID, now: datetime) -> None:
    """Note that a session was used; sixteen calls at once write it once."""
    Session.objects.filter(pk=session_id, last_seen_at__lte=now - TOUCH_INTERVAL).update(
        last_seen_at=now
    )


def _load_facts(request: Request, **parameters: Any) -> _Facts | None:
    context = in_context(request)
    parameters |= {
        "request_id": context.request_id,
        "ip_address": context.client_ip,
        "asks_factor": bool(env.require_2fa_for),
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOAD_SESSION, parameters)
        row = cursor.fetchone()
    return None if row is None else _Facts(*row[: len(_Facts._fields)])
