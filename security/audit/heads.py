"""The signed ends of the chains in the database, and which teams have one."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from crm.db.owner import as_owner
from crm.db.tenancy import context
from security.audit.chain import Head, current_key_id, head_signature, is_same

# Jumps from team to team along the index, past their entries.
_TEAMS = """
    WITH RECURSIVE found AS (
        (SELECT team_id FROM security_auditentry ORDER BY team_id LIMIT 1)
        UNION ALL
        SELECT (SELECT e.team_id FROM security_auditentry e WHERE e.team_id > found.team_id
                 ORDER BY e.team_id LIMIT 1)
          FROM found WHERE found.team_id IS NOT NULL
    ), linked AS (
        (SELECT team_id FROM security_auditlink ORDER BY team_id LIMIT 1)
        UNION ALL
        SELECT (SELECT l.team_id FROM security_auditlink l WHERE l.team_id > linked.team_id
                 ORDER BY l.team_id LIMIT 1)
          FROM linked WHERE linked.team_id IS NOT NULL
    )
    SELECT team_id FROM found WHERE team_id IS NOT NULL
     UNION SELECT team_id FROM linked WHERE team_id IS NOT NULL
     UNION SELECT team_id FROM security_audithead
     ORDER BY 1
"""
_READ = """
    SELECT team_id, position, hash, transaction_id, number, pruned_position, pruned_hash,
           key_id, signature
      FROM security_audithead WHERE team_id = %s
"""
_WRITE = """
    INSERT INTO security_audithead (team_id, position, hash, transaction_id, number,
                                    pruned_position, pruned_hash, key_id, signature)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (team_id) DO UPDATE SET (position, hash, transaction_id, number,
        pruned_position, pruned_hash, key_id, signature) = (EXCLUDED.position, EXCLUDED.hash,
        EXCLUDED.transaction_id, EXCLUDED.number, EXCLUDED.pruned_position,
        EXCLUDED.pruned_hash, EXCLUDED.key_id, EXCLUDED.signature)
"""


class BrokenChain(RuntimeError):
    """The chain is not as the sealer left it; nothing is built on it."""


@contextmanager
def keeping_chains() -> Iterator[None]:
    """Inside the block, this thread's connection may write the chains: it is the owner's."""
    with as_owner():
        yield


@contextmanager
def locked_chain(team_id: uuid.UUID, *, door: str = "") -> Iterator[Head]:
    """Run a block in a transaction that alone works on a team's chain; give its end.

    `door` names what may be done to entries: `prune` or `erase`. Raises `BrokenChain`.
    """
    with context(all_teams="on", audit_door=door), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('audit chain ' || %s, 0))",
            [str(team_id)],
        )
        yield read_head(team_id) or _first_head(team_id)


def teams() -> list[uuid.UUID]:
    """Return the teams that have entries, links or a head; inside the door of all teams."""
    with connection.cursor() as cursor:
        cursor.execute(_TEAMS)
        return [team_id for (team_id,) in cursor.fetchall()]


def read_head(team_id: uuid.UUID) -> Head | None:
    """Return the end of a team's chain; None before the first sealing. Raises `BrokenChain`."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [team_id])
        row = cursor.fetchone()
    if row is None:
        return None
    *values, key_id, signature = row
    head = Head(*values)
    if not is_same(head_signature(key_id, head), signature):
        raise BrokenChain(f"team {team_id}: the head of the chain is not signed by a key of ours")
    return head


def write_head(head: Head) -> None:
    """Sign and store the end of a chain."""
    key_id = current_key_id()
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [*head, key_id, head_signature(key_id, head)])


def _first_head(team_id: uuid.UUID) -> Head:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM security_auditlink WHERE team_id = %s)", [team_id]
        )
        if cursor.fetchone()[0]:
            raise BrokenChain(f"team {team_id}: the chain has links and no head")
    return Head(team_id)
