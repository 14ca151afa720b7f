"""Mails about what the rules found: to the admins of the team concerned, and nobody else's."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from crm.db.tenancy import context
from security.mails import NEW_NETWORK, SUSPICIOUS_ACTIVITY, written_time
from security.people import admins_of, person, superusers
from security.watching.rules import RULES

# Who attacks from a thousand addresses must not fill mailboxes: the first finding is told at once,
# what comes within these minutes in one mail behind them.
GATHERED_FOR: Final = timedelta(minutes=5)
MOST_IN_A_MAIL: Final = 20
_TITLES: Final = {rule.name: rule.title for rule in RULES}

# Rows are taken once, also by two workers: the second waits, and then sees `mailed_at`.
_TAKE = """
    WITH taken AS (
        UPDATE security_finding f SET mailed_at = %(now)s
         WHERE f.mailed_at IS NULL
           AND NOT EXISTS (SELECT FROM security_finding told
                            WHERE told.team_id IS NOT DISTINCT FROM f.team_id
                              AND told.mailed_at > %(now)s - %(gathered_for)s)
        RETURNING f.rule, f.subject, f.happened_at, f.team_id, f.user_id, f.count
    )
    SELECT f.rule, f.subject, f.happened_at, f.team_id, coalesce(t.name, '') AS team_name,
           f.user_id, coalesce(u.email, '') AS email, f.count
      FROM taken f
      LEFT JOIN accounts_team t ON t.id = f.team_id
      LEFT JOIN accounts_user u ON u.id = f.user_id
     ORDER BY f.happened_at, f.rule, f.subject
"""


class _Row(NamedTuple):
    rule: str
    subject: str
    happened_at: datetime
    team_id: UUID | None
    team_name: str
    user_id: UUID | None
    email: str
    total: int


def tell_findings() -> int:
    """Queue one mail to each admin about the findings of a team not told yet; return how many."""
    queued = 0
    with context(all_teams="on"):
        for team_id, rows in _take().items():
            shown = [_shown(row) for row in rows[:MOST_IN_A_MAIL]]
            more = max(0, len(rows) - MOST_IN_A_MAIL)
            # SECURITY: a team's admins hear of their own team; of no team, the superusers.
            for receiver in superusers() if team_id is None else admins_of(team_id):
                facts = {"first_name": receiver.first_name, "team_name": rows[0].team_name}
                SUSPICIOUS_ACTIVITY.queue(
                    to=receiver.email, context={**facts, "findings": shown, "more": more}
                )
                queued += 1
    return queued


def tell_user(*, user_id: UUID, network: str, happened_at: datetime) -> None:
    """Queue the mail to a person about a sign-in from a new network."""
    receiver = person(user_id)
    if receiver is not None:
        facts = {"first_name": receiver.first_name, "network": network}
        NEW_NETWORK.queue(
            to=receiver.email, context={**facts, "happened_at": written_time(happened_at)}
        )


def _take() -> dict[UUID | None, list[_Row]]:
    rows: dict[UUID | None, list[_Row]] = defaultdict(list)
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {"now": timezone.now(), "gathered_for": GATHERED_FOR}
        cursor.execute(_TAKE, parameters)
        for values in cursor.fetchall():
            row = _Row(*values)
            rows[row.team_id].append(row)
    return rows


def _shown(row: _Row) -> dict[str, Any]:
    # People are known by their address, not by their id.
    subject = row.subject.replace(str(row.user_id), row.email) if row.email else row.subject
    if row.email and row.email not in subject:
        subject = f"{subject} ({row.email})"
    return {
        "title": _TITLES[row.rule],
        "subject": subject,
        "count": row.total,
        "happened_at": written_time(row.happened_at),
    }
