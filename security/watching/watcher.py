"""Asking the rules about what happened since the last time, for all teams at once.

The watermark is a transaction's number, not a time: events commit out of order, and one that was
made before the last run may become visible after it. Whatever was not certainly finished then is
looked at again; a finding that is there already stays one.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from crm.db.ids import uuid7
from crm.db.tenancy import context
from crm.env import env
from security.events.collector import record_event
from security.events.types import EventType
from security.ip_blocks.services import block_client
from security.watching.models import Watermark
from security.watching.rules import RULES, Rule
from security.watching.telling import tell_user

WATERMARK: Final = "events"
# No transaction stays open for longer. It keeps old months out of the plan.
_LONGEST_TRANSACTION: Final = timedelta(days=2)

_LOCK = """
    INSERT INTO security_watermark (name, transaction_id, looked_at) VALUES (%s, 0, %s)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name
    RETURNING transaction_id, looked_at
"""
_HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_KEEP = """
    INSERT INTO security_finding
           (id, rule, subject, hour, happened_at, team_id, user_id, count, created_at)
    SELECT id, %s, subject, date_trunc('hour', happened_at, 'UTC'), happened_at, team_id, user_id,
           count, %s
      FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::uuid[], %s::uuid[], %s::bigint[])
           AS found (id, subject, happened_at, team_id, user_id, count)
    ON CONFLICT DO NOTHING
    RETURNING id, subject, happened_at, team_id, user_id, count
"""


class Found(NamedTuple):
    """What a rule found for the first time."""

    rule: Rule
    id: UUID
    subject: str
    happened_at: datetime
    team_id: UUID | None
    user_id: UUID | None
    total: int


def watch_events() -> list[Found]:
    """Ask every rule; keep, record and return what was not found before.

    One run at a time works; the others wait for it and find nothing new. Findings, their events
    and the watermark are one transaction.
    """
    now = timezone.now()
    # SECURITY: rules see all teams, so nothing but this module's findings leaves this block; each
    # is told to the admins of its own team alone.
    with context(all_teams="on"):
        parameters = _parameters(now)
        found = [finding for rule in RULES for finding in _ask(rule, parameters)]
        for finding in found:
            _answer(finding)
    return found


def _parameters(now: datetime) -> dict[str, Any]:
    """Lock and move the watermark; return what the statements are asked with."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [WATERMARK, now])
        seen, looked_at = cursor.fetchone()
        # Read before the events are: what this statement calls finished, the next ones see.
        cursor.execute(_HORIZON)
        horizon = cursor.fetchone()[0]
    Watermark.objects.filter(pk=WATERMARK).update(transaction_id=horizon, looked_at=now)
    return {
        "now": now,
        # Numbers of a database that was restored from a dump begin anew.
        "horizon": 0 if seen > horizon else seen,
        "oldest": looked_at - _LONGEST_TRANSACTION,
        "idle_timeout": env.session_idle_timeout,
    }


def _ask(rule: Rule, parameters: dict[str, Any]) -> list[Found]:
    numbers = {"at_least": rule.at_least, "within": rule.within, "times": rule.times}
    with connection.cursor() as cursor:
        cursor.execute(rule.statement, parameters | numbers)
        rows = cursor.fetchall()
        if not rows:
            return []
        columns = [list(column) for column in zip(*rows, strict=True)]
        ids = [uuid7() for _ in rows]
        cursor.execute(_KEEP, [rule.name, parameters["now"], ids, *columns])
        return [Found(rule, *row) for row in cursor.fetchall()]


def _answer(found: Found) -> None:
    """Record a finding, and do what its rule asks for at once; admins are told by `telling`."""
    record_event(
        EventType.SUSPICIOUS_ACTIVITY,
        user_id=found.user_id,
        team_id=found.team_id,
        rule=found.rule.name,
        subject=found.subject,
        count=found.total,
    )
    if found.rule.tells_user and found.user_id is not None:
        network = found.subject.partition(" ")[2]
        tell_user(user_id=found.user_id, network=network, happened_at=found.happened_at)
    if found.rule.blocks_address and env.spraying_block_duration:
        block_client(
            found.subject,
            by=f"rule {found.rule.name}",
            reason=found.rule.title,
            duration=env.spraying_block_duration,
        )
