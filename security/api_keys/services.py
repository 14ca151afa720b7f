"""Issue, change, rotate and revoke API keys. API, admin and commands use these."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from crm.api.errors import Conflict, NotFound, ValidationFailed
from crm.env import env
from crm.plain_text import one_line
from security.access.scopes import UnknownScope, parse_scopes
from security.api_keys.format import ApiKeyParts, generate_key
from security.api_keys.mailing import queue_mail_to_owner
from security.api_keys.networks import parse_networks
from security.api_keys.secret_hash import hash_secret
from security.events.collector import record_event
from security.events.types import EventType
from security.mails import API_KEY_CREATED, API_KEY_REVOKED, API_KEY_ROTATED
from security.models import ApiKey

DEFAULT_OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)


class IssuedKey(NamedTuple):
    """A new key and, this once, what its holder sends."""

    api_key: ApiKey
    written: str


def issue_key(  # noqa: PLR0913 (what a key is made of)
    *,
    team_id: uuid.UUID,
    owner_id: uuid.UUID,
    name: str,
    scopes: Mapping[str, Iterable[str]],
    expires_at: datetime | None = None,
    allowed_ips: Iterable[str] = (),
    parts: ApiKeyParts | None = None,
) -> IssuedKey:
    """Make a key; without an end it lives API_KEY_DEFAULT_EXPIRY. Raises `ValidationFailed`.

    The caller makes sure that the owner is a member of the team, who gets a mail. Only the demo
    data bring `parts` of their own, and tell nobody.
    """
    values = {
        "name": _checked_name(name),
        "scopes": _checked_scopes(scopes),
        "allowed_ips": _checked_networks(allowed_ips),
        "expires_at": _checked_end(expires_at or timezone.now() + env.api_key_default_expiry),
    }
    issued = _make(parts or generate_key(), team_id=team_id, owner_id=owner_id, **values)
    _record(EventType.API_KEY_ISSUED, issued.api_key)
    if parts is None:
        queue_mail_to_owner(issued.api_key, API_KEY_CREATED)
    return issued


def change_key(*, api_key: ApiKey, values: Mapping[str, Any]) -> None:
    """Change a usable key's name, scopes, end or networks. Raises `Conflict` for a revoked one,
    and for the end of a rotated one."""
    if not api_key.is_usable(timezone.now()):
        raise Conflict("A key that is revoked or expired cannot be changed.")
    if "expires_at" in values and _is_rotated(api_key):
        raise Conflict("A rotated key ends with its overlap.")
    checks: dict[str, Callable[[Any], Any]] = {
        "name": _checked_name,
        "scopes": _checked_scopes,
        "allowed_ips": _checked_networks,
        "expires_at": _checked_end,
    }
    for field, value in values.items():
        setattr(api_key, field, checks[field](value) if field in checks else value)
    api_key.save(update_fields=list(values))


def rotate_key(*, api_key: ApiKey, overlap: timedelta = DEFAULT_OVERLAP) -> IssuedKey:
    """Make the successor of a locked key, with its rights; the old one ends after the overlap.

    A key has one successor, also when rotated in parallel. Raises `Conflict` for a key that is
    revoked, expired or rotated before.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationFailed(details={"overlap": ["Use a duration between 0s and 7d."]})
    now = timezone.now()
    if not api_key.is_usable(now):
        raise Conflict("The key is revoked or expired.")
    if _is_rotated(api_key):
        raise Conflict("The key was rotated before.")
    api_key.expires_at = min(api_key.expires_at, now + overlap)
    api_key.save(update_fields=["expires_at"])
    issued = _make(
        generate_key(),
        team_id=api_key.team_id,
        owner_id=api_key.owner_id,
        name=api_key.name,
        scopes=api_key.scopes,
        allowed_ips=api_key.allowed_ips,
        expires_at=now + env.api_key_default_expiry,
        rotated_from=api_key,
    )
    _record(EventType.API_KEY_ROTATED, api_key, successor=issued.api_key.key_id)
    queue_mail_to_owner(api_key, API_KEY_ROTATED)
    return issued


def revoke_key(*, api_key: ApiKey) -> None:
    """End a key for good and tell its owner; nothing happens to one that is revoked already."""
    if api_key.revoked_at is None:
        api_key.revoked_at = timezone.now()
        api_key.save(update_fields=["revoked_at"])
        _record(EventType.API_KEY_REVOKED, api_key)
        queue_mail_to_owner(api_key, API_KEY_REVOKED)


def revoke_keys_of(*, team_id: uuid.UUID, owner_id: uuid.UUID) -> int:
    """End the keys that a member owns in a team, for good; return how many were not ended before.

    Rows are locked in one order, so that two calls at once wait instead of deadlocking.
    """
    keys = ApiKey.objects.for_team(team_id).filter(owner_id=owner_id, revoked_at=None)
    with transaction.atomic():
        found = list(keys.select_for_update(of=("self",)).order_by("pk"))
        for api_key in found:
            revoke_key(api_key=api_key)
    return len(found)


def lock_key(api_key_id: uuid.UUID, *, team_id: uuid.UUID | None = None) -> ApiKey:
    """Return a key, locked until the transaction ends, of one team when it is named.

    Raises `NotFound`.
    """
    keys = ApiKey.objects.select_for_update(of=("self",)).filter(pk=api_key_id)
    found: ApiKey | None = (keys if team_id is None else keys.for_team(team_id)).first()
    if found is None:
        raise NotFound
    return found


def _record(event_type: EventType, api_key: ApiKey, **metadata: Any) -> None:
    """Record what became of a key: an event about its owner, in its team."""
    record_event(
        event_type,
        user_id=api_key.owner_id,
        team_id=api_key.team_id,
        key_id=api_key.key_id,
        name=api_key.name,
        **metadata,
    )


def _make(parts: ApiKeyParts, **values: Any) -> IssuedKey:
    pepper_id, secret_hash = hash_secret(parts.secret)
    written = parts.written
    api_key = ApiKey.objects.create(
        key_id=parts.key_id,
        pepper_id=pepper_id,
        secret_hash=secret_hash,
        last_four=written[-4:],
        **values,
    )
    return IssuedKey(api_key, written)


def _is_rotated(api_key: ApiKey) -> bool:
    return bool(ApiKey.objects.filter(rotated_from=api_key).exists())


def _checked_name(name: str) -> str:
    """Return the name on one line: it stands in mails, lists and logs."""
    cleaned = one_line(name)
    if not cleaned:
        raise ValidationFailed(details={"name": ["Give the key a name."]})
    return cleaned


def _checked_scopes(scopes: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    try:
        return parse_scopes(scopes)
    except UnknownScope as error:
        raise ValidationFailed(details={"scopes": [str(error)]}) from error


def _checked_networks(networks: Iterable[str]) -> list[str]:
    try:
        return parse_networks(networks)
    except ValueError as error:
        raise ValidationFailed(details={"allowedIps": [str(error)]}) from error


def _checked_end(expires_at: datetime) -> datetime:
    if expires_at <= timezone.now():
        raise ValidationFailed(details={"expiresAt": ["The end must lie in the future."]})
    return expires_at
