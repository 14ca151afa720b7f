"""Mails before a key ends: 30, 7 and 1 days ahead, to its owner and the team's admins."""

from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from security.api_keys.mailing import key_facts
from security.mails import API_KEY_EXPIRING
from security.people import admins_of

NOTICE_DAYS: Final = (30, 7, 1)

# The nearest of the days that the key has come to, so that a missed run is made up for by one mail
# and not by three. A day that is not shorter than the key's whole life is none: who makes a key
# for a week knows. A key that was replaced ends with its overlap, as its owner wanted. An end that
# is moved is an end of its own.
_GIVE_NOTICE = """
    INSERT INTO security_apikeynotice (api_key_id, expires_at, days)
    SELECT k.id, k.expires_at, due.days
      FROM security_apikey k
      JOIN accounts_user u ON u.id = k.owner_id AND u.is_active
      JOIN accounts_membership m
           ON m.user_id = k.owner_id AND m.team_id = k.team_id AND m.is_active
      JOIN accounts_team t ON t.id = k.team_id AND t.is_active
     CROSS JOIN LATERAL (
        SELECT min(days) AS days FROM unnest(%(days)s::int[]) AS notice (days)
         WHERE k.expires_at <= %(now)s + make_interval(days => days)
           AND k.expires_at - k.created_at > make_interval(days => days)
     ) due
     WHERE k.revoked_at IS NULL AND k.expires_at > %(now)s AND due.days IS NOT NULL
       AND NOT EXISTS (SELECT FROM security_apikey successor
                        WHERE successor.rotated_from_id = k.id)
    ON CONFLICT DO NOTHING
    RETURNING api_key_id, days
"""


@transaction.atomic
def warn_of_expiring_keys() -> int:
    """Queue the mails that are due; return of how many keys. Each is due once, whoever asks."""
    parameters: dict[str, Any] = {"days": list(NOTICE_DAYS), "now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_NOTICE, parameters)
        notices = cursor.fetchall()
    for api_key_id, days in notices:
        _queue_mails(api_key_id, days)
    return len(notices)


def _queue_mails(api_key_id: UUID, days: int) -> None:
    facts = key_facts(api_key_id)
    if facts is None:
        return
    receivers = set(admins_of(facts.team_id))
    if facts.owner is not None:
        receivers.add(facts.owner)
    for receiver in receivers:
        context = {**facts.context, "first_name": receiver.first_name, "days": days}
        API_KEY_EXPIRING.queue(to=receiver.email, context=context)
