"""Issuing a key for a member whom staff or an operator names."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from accounts.models import Membership
from crm.api.errors import ValidationFailed
from security.api_keys.services import IssuedKey, issue_key
from security.identifiers import normalize_email


def issue_key_for_member(
    *,
    team_id: uuid.UUID | str,
    owner_email: str,
    name: str,
    scopes: Mapping[str, Sequence[str]],
    **options: Any,
) -> IssuedKey:
    """Issue a key owned by an active member. Raises `ValidationFailed`."""
    try:
        team = uuid.UUID(str(team_id))
    except ValueError as error:
        raise ValidationFailed(f"{team_id!r} is not a team's id.") from error
    member = Membership.objects.filter(
        team_id=team, user__email=normalize_email(owner_email), is_active=True
    ).first()
    if member is None:
        raise ValidationFailed(f"{owner_email} is no active member of team {team}.")
    return issue_key(team_id=team, owner_id=member.user_id, name=name, scopes=scopes, **options)
