"""API keys: one query loads key, owner, membership and team; the secret is judged first."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from crm.api.errors import ApiKeyExpired, InvalidApiKey, IpNotAllowed
from crm.db.tenancy import CONTEXT_COLUMNS
from security.access.roles import Role
from security.api_keys.format import ApiKeyParts, looks_like_key, parse_key
from security.api_keys.networks import is_allowed_address
from security.api_keys.secret_hash import verify_secret
from security.api_keys.usage import UsedKey
from security.events.collector import record_event
from security.events.types import EventType
from security.models import ApiKey
from security.request.actors import Actor, ActorKind
from security.request.context import in_context
from security.request.credentials import API_KEY_HEADER, bearer_token
from security.request.touch import TOUCH_INTERVAL

# Opens the team in the same statement (crm.db.tenancy). No membership: no team, no rows.
_LOAD_KEY = f"""
    SELECT k.id, k.name, k.pepper_id, k.secret_hash, k.scopes::text, k.allowed_ips,
           k.expires_at, k.last_used_at, k.revoked_at, k.owner_id, u.is_active,
           m.role, t.id, t.name, k.team_id,
           {
    CONTEXT_COLUMNS.format(
        team_id="t.id", actor_kind="'api_key'", actor_id="k.id", actor_label="k.name"
    )
}
      FROM security_apikey k
      JOIN accounts_user u ON u.id = k.owner_id
      LEFT JOIN accounts_membership m
             ON m.user_id = k.owner_id AND m.team_id = k.team_id AND m.is_active
      LEFT JOIN accounts_team t ON t.id = m.team_id AND t.is_active
     WHERE k.key_id = %(key_id)s
"""  # noqa: S608 (constants and placeholders only)


class _Facts(NamedTuple):
    """The first columns of `_LOAD_KEY`."""

    id: UUID
    name: str
    pepper_id: str
    secret_hash: str
    scopes: str
    allowed_ips: list[str]
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    owner_id: UUID
    owner_is_active: bool
    role: str | None
    team_id: UUID | None
    team_name: str | None
    key_team_id: UUID


class ApiKeyAuthentication(BaseAuthentication):
    """`X-API-Key: crm_…` or `Authorization: Bearer crm_…`."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        """Return the actor; None without a key; raises `InvalidApiKey`, `ApiKeyExpired` or
        `IpNotAllowed`. Which of them is told only to who holds the secret."""
        written = request.META.get("HTTP_X_API_KEY")
        if written is None:
            written = bearer_token(request)
            if written is None or not looks_like_key(written):
                return None
        parts = parse_key(written)
        if parts is None:
            raise InvalidApiKey
        facts = _load_facts(request, parts)
        self._judge(request, parts, facts)
        return self._actor_of(request, facts), None

    def authenticate_header(self, request: Request) -> str:
        return f'Bearer realm="crm", {API_KEY_HEADER} realm="crm"'

    def _judge(self, request: Request, parts: ApiKeyParts, facts: _Facts) -> None:
        if not verify_secret(parts.secret, pepper_id=facts.pepper_id, digest=facts.secret_hash):
            _record(EventType.API_KEY_DENIED, parts, facts, reason="wrong_secret")
            raise InvalidApiKey
        # Counted by the middleware, when the answer is known. A wrong secret is nobody's use.
        in_context(request).used_key = UsedKey(facts.key_team_id, facts.id)
        if facts.revoked_at is not None or not facts.owner_is_active or facts.team_id is None:
            reason = "owner_without_access" if facts.revoked_at is None else "revoked"
            _record(EventType.API_KEY_DENIED, parts, facts, reason=reason)
            raise InvalidApiKey
        if facts.expires_at <= timezone.now():
            _record(EventType.API_KEY_EXPIRED, parts, facts)
            raise ApiKeyExpired
        if not is_allowed_address(in_context(request).client_ip, facts.allowed_ips):
            _record(EventType.ADDRESS_DENIED, parts, facts, allow_list="api_key")
            raise IpNotAllowed

    def _actor_of(self, request: Request, facts: _Facts) -> Actor:
        now = timezone.now()
        after_response = in_context(request).after_response
        if facts.last_used_at is None:
            after_response.append(lambda: note_first_use(facts, now))
        elif now - facts.last_used_at >= TOUCH_INTERVAL:
            after_response.append(lambda: touch_key(facts.id, now))
        return Actor(
            kind=ActorKind.API_KEY,
            id=facts.id,
            label=facts.name,
            user_id=facts.owner_id,
            team_id=facts.team_id,  # type: ignore[arg-type]  # _judge refused None
            team_name=facts.team_name or "",
            role=Role(facts.role or ""),
            scopes=orjson.loads(facts.scopes),
            credential_expires_at=facts.expires_at,
        )


def touch_key(key_pk: UUID, now: datetime) -> None:
    """Note that a key was used; sixteen calls at once write it once."""
    ApiKey.objects.filter(pk=key_pk).exclude(last_used_at__gt=now - TOUCH_INTERVAL).update(
        last_used_at=now
    )


def note_first_use(facts: _Facts, now: datetime) -> None:
    """Note and record that a key was used for the first time; of calls at once, one does."""
    if ApiKey.objects.filter(pk=facts.id, last_used_at=None).update(last_used_at=now):
        record_event(
            EventType.API_KEY_FIRST_USED,
            user_id=facts.owner_id,
            team_id=facts.team_id,
            name=facts.name,
        )


def _record(event_type: EventType, parts: ApiKeyParts, facts: _Facts, **metadata: Any) -> None:
    """Record the refusal of a key that exists: an event about its owner, in its team."""
    record_event(
        event_type,
        user_id=facts.owner_id,
        team_id=facts.key_team_id,
        key_id=parts.key_id,
        name=facts.name,
        **metadata,
    )


def _load_facts(request: Request, parts: ApiKeyParts) -> _Facts:
    context = in_context(request)
    parameters: dict[str, Any] = {
        "key_id": parts.key_id,
        "request_id": context.request_id,
        "ip_address": context.client_ip,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOAD_KEY, parameters)
        row = cursor.fetchone()
    if row is None:
        record_event(EventType.API_KEY_DENIED, reason="unknown")
        raise InvalidApiKey
    return _Facts(*row[: len(_Facts._fields)])
