"""Linking finished entries into their team's chain.

An entry is finished when no older transaction is open any more: nothing can then come before it.
Writers never wait for the sealer, nor it for them.
"""

import os
import uuid
from collections.abc import Callable
from typing import Any

from django.db import connection

from crm.db.tenancy import context
from security.audit.chain import (
    FACTS,
    Facts,
    Head,
    UnknownKey,
    current_key_id,
    digest_values,
    link_hash,
)
from security.audit.heads import BrokenChain, keeping_chains, locked_chain, teams, write_head

BATCH_SIZE = 5_000
SALT_BYTES = 16

# Ids of transactions below the head's belong to a database that was restored from a dump: they
# began to count anew, so what is visible is finished, and what is sealed is asked of each entry.
_FINISHED = f"""
    SELECT {FACTS} FROM security_auditentry e
     WHERE e.team_id = %(team_id)s
       AND (e.transaction_id, e.number) > (%(transaction_id)s, %(number)s)
       AND (e.transaction_id < %(horizon)s OR %(is_restored)s)
       AND NOT EXISTS (SELECT FROM security_auditlink l WHERE l.entry_id = e.id)
     ORDER BY e.transaction_id, e.number LIMIT %(limit)s
"""  # noqa: S608 (constants and placeholders only)
_INSERT = """
    INSERT INTO security_auditlink
           (entry_id, team_id, position, previous, hash, digest, salt, key_id)
    SELECT entry_id, %s, position, previous, hash, digest, salt, %s
      FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[])
           AS new (entry_id, position, previous, hash, digest, salt)
"""


def seal_all(
    *, team_id: uuid.UUID | None = None, on_batch: Callable[[int], None] = lambda count: None
) -> int:
    """Seal what is finished, of one team or of all; return how many entries.

    `on_batch` hears of each batch. Nothing is added to a forged chain: raises `BrokenChain` or
    `UnknownKey`, once the chains of the other teams are sealed.
    """
    sealed, broken = 0, []
    with keeping_chains():
        for team in [team_id] if team_id else _teams():
            try:
                sealed += _seal_team(team, on_batch)
            except (BrokenChain, UnknownKey) as error:
                broken.append(error)
    if broken:
        raise broken[0]
    return sealed


def _seal_team(team_id: uuid.UUID, on_batch: Callable[[int], None]) -> int:
    sealed = 0
    while count := _seal_batch(team_id):
        sealed += count
        on_batch(count)
        if count < BATCH_SIZE:
            break
    return sealed


def _teams() -> list[uuid.UUID]:
    with context(all_teams="on"):
        return teams()


def _seal_batch(team_id: uuid.UUID) -> int:
    with locked_chain(team_id) as head, connection.cursor() as cursor:
        # Read before the entries: what this statement calls finished, the next one sees.
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        horizon = cursor.fetchone()[0]
        cursor.execute(_FINISHED, _parameters(head, horizon))
        entries = [Facts(*row) for row in cursor.fetchall()]
        if entries:
            links = _links(head, entries)
            cursor.execute(
                _INSERT, [team_id, current_key_id(), *map(list, zip(*links, strict=True))]
            )
            last = entries[-1]
            write_head(
                head._replace(
                    position=head.position + len(entries),
                    hash=links[-1][3],
                    transaction_id=last.transaction_id,
                    number=last.number,
                )
            )
    return len(entries)


def _parameters(head: Head, horizon: int) -> dict[str, Any]:
    is_restored = head.transaction_id >= horizon
    return {
        "team_id": head.team_id,
        "transaction_id": -1 if is_restored else head.transaction_id,
        "number": -1 if is_restored else head.number,
        "horizon": horizon,
        "is_restored": is_restored,
        "limit": BATCH_SIZE,
    }


def _links(head: Head, entries: list[Facts]) -> list[tuple[Any, ...]]:
    """Return (entry id, position, previous, hash, digest, salt) of each entry."""
    key_id, previous = current_key_id(), head.hash
    links = []
    for position, facts in enumerate(entries, start=head.position + 1):
        salt = os.urandom(SALT_BYTES)
        digest = digest_values(salt, facts)
        made = link_hash(key_id, previous=previous, position=position, digest=digest, facts=facts)
        links.append((facts.entry_id, position, previous, made, digest, salt))
        previous = made
    return links
