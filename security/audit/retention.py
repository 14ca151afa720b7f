"""What may leave the trail: entries past their time, and a person's values.

Each goes through a door of its own, as the owner of the tables, and leaves an entry that says so.
"""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from crm.db.tenancy import context, set_context
from security.audit.chain import Head
from security.audit.heads import keeping_chains, locked_chain, teams, write_head
from security.audit.models import Action

# As many entries go in one transaction: the sealer of their team waits for it.
BATCH_SIZE = 20_000

# The chain is cut before the first entry that stays. Links are read in their order up to that one,
# by the index of their positions: what a month's removal costs does not grow with the rest.
FIRST_TO_STAY = """
    SELECT l.position FROM security_auditlink l JOIN security_auditentry e ON e.id = l.entry_id
     WHERE l.team_id = %(team_id)s AND l.position > %(pruned)s AND l.position <= %(most)s
       AND e.created_at >= %(before)s
     ORDER BY l.position LIMIT 1
"""
_HASH = "SELECT hash FROM security_auditlink WHERE team_id = %(team_id)s AND position = %(last)s"
DELETE = """
    WITH gone AS (
        DELETE FROM security_auditlink
         WHERE team_id = %(team_id)s AND position > %(pruned)s AND position <= %(last)s
        RETURNING entry_id)
    DELETE FROM security_auditentry e USING gone WHERE e.id = gone.entry_id
"""
_ERASE_VALUES = """
    UPDATE security_auditentry SET old_values = NULL, new_values = NULL
     WHERE team_id = %s AND resource_type = %s AND resource_id = %s
"""
_ERASE_SALTS = """
    UPDATE security_auditlink l SET salt = NULL FROM security_auditentry e
     WHERE e.id = l.entry_id AND e.team_id = %s AND e.resource_type = %s AND e.resource_id = %s
"""
_RECORD = """
    INSERT INTO security_auditentry (
        id, team_id, action, resource_type, resource_id, new_values, actor_kind, actor_id,
        actor_label, request_id, ip_address, created_at, transaction_id)
    SELECT gen_random_uuid(), %s, %s, %s, %s, %s::jsonb,
           'command', '', %s, '', '', clock_timestamp(), pg_current_xact_id()::text::bigint
"""


def prune(*, before: datetime, on_team: Callable[[int], None] = lambda count: None) -> int:
    """Take sealed entries made before a moment out of the trail; return how many.

    The head of each chain signs where it now begins. Raises `BrokenChain`.
    """
    taken = 0
    with keeping_chains():
        with context(all_teams="on"):
            everyone = teams()
        for team_id in everyone:
            count = sum(_batches(team_id, before))
            taken += count
            on_team(count)
    return taken


def erase_values(*, team_id: uuid.UUID, resource_type: str, resource_id: uuid.UUID) -> int:
    """Erase all values of a record from the trail, for good; return of how many entries.

    That something was done, when and by whom, stays and is proved.
    """
    subject: list[Any] = [team_id, resource_type, resource_id]
    with keeping_chains(), locked_chain(team_id, door="erase"), connection.cursor() as cursor:
        cursor.execute(_ERASE_SALTS, subject)
        cursor.execute(_ERASE_VALUES, subject)
        count = int(cursor.rowcount)
        _record(team_id, Action.ERASE, resource_type, resource_id, f'{{"entries": {count}}}')
    return count


def _batches(team_id: uuid.UUID, before: datetime) -> Iterator[int]:
    """Take a team's old entries and yield how many went in each transaction."""
    while count := _prune_batch(team_id, before):
        yield count
        if count < BATCH_SIZE:
            break


def _prune_batch(team_id: uuid.UUID, before: datetime) -> int:
    with locked_chain(team_id, door="prune") as head, connection.cursor() as cursor:
        most = min(head.pruned_position + BATCH_SIZE, head.position)
        range_of: dict[str, Any] = {"team_id": team_id, "pruned": head.pruned_position}
        cursor.execute(FIRST_TO_STAY, {**range_of, "before": before, "most": most})
        first = cursor.fetchone()
        range_of["last"] = last = first[0] - 1 if first else most
        cursor.execute(_HASH, range_of)
        found = cursor.fetchone()
        if found is None or last == head.pruned_position:
            return 0
        cursor.execute(DELETE, range_of)
        write_head(head._replace(pruned_position=last, pruned_hash=found[0]))
        _record_pruning(head, last)
        return int(last - head.pruned_position)


def _record_pruning(head: Head, position: int) -> None:
    values = f'{{"from": {head.pruned_position + 1}, "to": {position}}}'
    _record(head.team_id, Action.PRUNE, "audit_trail", head.team_id, values)


def _record(team_id: uuid.UUID, *what: Any) -> None:
    set_context(audit_door="")
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [team_id, *what, "security.audit.retention"])
