"""Mails to the owner of a key about what became of it (ASVS v5.0.0-6.3.7)."""

from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from crm.jobs import job
from crm.mail import MailKind
from security.mails import API_KEY_CREATED, API_KEY_REVOKED, API_KEY_ROTATED, written_time
from security.models import ApiKey
from security.people import Person, person

_KINDS: Final = {kind.name: kind for kind in (API_KEY_CREATED, API_KEY_ROTATED, API_KEY_REVOKED)}
_FACTS = """
    SELECT k.owner_id, u.email, k.team_id, t.name, k.name, k.key_id, k.last_four, k.expires_at
      FROM security_apikey k
      JOIN accounts_user u ON u.id = k.owner_id
      JOIN accounts_team t ON t.id = k.team_id
     WHERE k.id = %s
"""


class KeyFacts(NamedTuple):
    """What mails tell of a key. `owner` is None for one who gets no mail."""

    team_id: UUID
    owner: Person | None
    context: dict[str, Any]


def queue_mail_to_owner(api_key: ApiKey, kind: MailKind) -> None:
    """Have the owner told, once the transaction that changed the key has committed."""
    mail_owner.queue(api_key_id=str(api_key.pk), kind=kind.name)


@job(retry=True)
def mail_owner(*, api_key_id: str, kind: str) -> None:
    """Tell the owner of a key what became of it, once; nobody when key or owner is gone."""
    facts = key_facts(UUID(api_key_id))
    if facts is not None and facts.owner is not None:
        context = {**facts.context, "first_name": facts.owner.first_name}
        _KINDS[kind].deliver(to=facts.owner.email, context=context, key=f"{kind}:{api_key_id}")


def key_facts(api_key_id: UUID) -> KeyFacts | None:
    """Return what mails tell of a key; None when it is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, [api_key_id])
        row = cursor.fetchone()
    if row is None:
        return None
    owner_id, email, team_id, team_name, name, key_id, last_four, expires_at = row
    context = {
        "owner": email,
        "team_name": team_name,
        "name": name,
        "masked": ApiKey(key_id=key_id, last_four=last_four).masked,
        "expires_on": written_time(expires_at),
    }
    return KeyFacts(team_id, person(owner_id), context)
