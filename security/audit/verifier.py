"""Proving the chains: every entry is as it was sealed, in its place, and none is missing."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from crm.db.tenancy import set_context
from security.audit.chain import (
    FACTS,
    GENESIS,
    Facts,
    Head,
    UnknownKey,
    digest_values,
    is_same,
    link_hash,
)
from security.audit.heads import BrokenChain, read_head, teams

# A broken chain can have a million consequences; the first places tell what happened.
MOST_PROBLEMS = 20
_FETCH = 2_000

_CHAIN = f"""
    SELECT l.position, l.previous, l.hash, l.digest, l.salt, l.key_id, l.entry_id, {FACTS}
      FROM security_auditlink l LEFT JOIN security_auditentry e ON e.id = l.entry_id
     WHERE l.team_id = %s ORDER BY l.position
"""  # noqa: S608 (constants and placeholders only)
_UNSEALED = """
    SELECT e.id, e.action, e.resource_type, e.resource_id, e.created_at
      FROM security_auditentry e
     WHERE e.team_id = %s AND e.created_at < %s
       AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
       AND NOT EXISTS (SELECT FROM security_auditlink l WHERE l.entry_id = e.id)
     ORDER BY e.transaction_id, e.number LIMIT %s
"""
# What was erased says so in the chain itself.
_ERASED = """
    SELECT resource_type, resource_id FROM security_auditentry
     WHERE team_id = %s AND action = 'erase'
"""


class Link(NamedTuple):
    """A link and what it was made of; `facts` is None when the entry is gone."""

    position: int
    previous: bytes
    hash: bytes
    digest: bytes
    salt: bytes | None
    key_id: str
    entry_id: uuid.UUID
    facts: Facts | None

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"position {self.position}, entry {self.entry_id}"


class Verified(NamedTuple):
    """What a verification found."""

    entries: int
    problems: list[str]


def verify(
    *,
    team_id: uuid.UUID | None = None,
    checkpoint: Mapping[uuid.UUID, tuple[int, str]] | None = None,
    unsealed_after: timedelta = timedelta(hours=1),
    on_progress: Callable[[int], None] = lambda count: None,
) -> Verified:
    """Prove one team's chain or all; return how many entries, and one line for each problem.

    `checkpoint` is team → (position, hash) as exported before. An entry that is older than
    `unsealed_after` and in no chain is a problem. Writers and the sealer go on meanwhile.
    """
    known = checkpoint or {}
    checked, problems = 0, list[str]()
    with _one_snapshot():
        for team in [team_id] if team_id else dict.fromkeys([*teams(), *known]):
            check = _TeamCheck(team, known.get(team), on_progress)
            problems += check.problems(unsealed_after)[:MOST_PROBLEMS]
            checked += check.count
    return Verified(checked, problems)


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Read in one transaction that sees one moment of entries, links and heads."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
        set_context(all_teams="on", actor_kind="command", actor_label="verify_audit")
        yield


class _TeamCheck:
    """The check of one team's chain, link by link."""

    def __init__(
        self,
        team_id: uuid.UUID,
        known: tuple[int, str] | None,
        on_progress: Callable[[int], None],
    ) -> None:
        self.team_id = team_id
        self.known = known
        self.on_progress = on_progress
        self.count = 0
        self.position, self.hash = 0, GENESIS
        self.met_known = known is None or known[0] == 0

    def problems(self, unsealed_after: timedelta) -> list[str]:
        """Return a line for each problem, the first ones."""
        found = [*self._head_and_links(), *self._never_sealed(unsealed_after)]
        return [f"team {self.team_id}: {line}" for line in found]

    def _head_and_links(self) -> Iterator[str]:
        try:
            head = read_head(self.team_id)
        except (BrokenChain, UnknownKey) as error:
            yield str(error).removeprefix(f"team {self.team_id}: ")
            yield from self._links()
            return
        if head is not None:
            self.position, self.hash = head.pruned_position, head.pruned_hash
        yield from self._links()
        yield from self._end(head)
        yield from self._checkpoint(head)

    def _links(self) -> Iterator[str]:
        self.erased = self._erased()
        for link in _read_links(self.team_id):
            self.count += 1
            if self.count % _FETCH == 0:
                self.on_progress(_FETCH)
            yield from self._place(link)
            yield from self._content(link)
            self.position, self.hash = link.position, link.hash
            if self.known and link.position == self.known[0]:
                self.met_known = link.hash.hex() == self.known[1]

    def _place(self, link: Link) -> Iterator[str]:
        expected = self.position + 1
        if link.position == self.position:
            yield f"{link.place}: the chain has a fork here"
        elif link.position != expected:
            yield f"positions {expected} to {link.position - 1}: links are missing"
        elif not is_same(link.previous, self.hash):
            yield f"{link.place}: does not follow position {self.position}"

    def _content(self, link: Link) -> Iterator[str]:
        facts = link.facts
        if facts is None:
            yield f"{link.place}: the entry was deleted"
            return
        if link.salt is None:
            if not self._was_erased(facts):
                yield f"{link.place}: the values are gone and no erasure says why"
        elif not is_same(digest_values(link.salt, facts), link.digest):
            yield f"{link.place}: old or new values were changed"
        try:
            expected = link_hash(
                link.key_id,
                previous=link.previous,
                position=link.position,
                digest=link.digest,
                facts=facts,
            )
        except UnknownKey as error:
            yield f"{link.place}: {error}"
            return
        if not is_same(expected, link.hash):
            yield f"{link.place}: the entry or its link was changed or moved"

    def _was_erased(self, facts: Facts) -> bool:
        is_empty = facts.old_values is None and facts.new_values is None
        return is_empty and (facts.resource_type, facts.resource_id) in self.erased

    def _erased(self) -> set[tuple[str, uuid.UUID]]:
        with connection.cursor() as cursor:
            cursor.execute(_ERASED, [self.team_id])
            return set(cursor.fetchall())

    def _end(self, head: Head | None) -> Iterator[str]:
        if head is None:
            if self.position:
                yield f"position {self.position}: the chain has links and no signed head"
        elif self.position < head.position:
            yield (
                f"positions {self.position + 1} to {head.position}:"
                " the tail was cut off; the signed head knows them"
            )
        elif self.position > head.position or not is_same(self.hash, head.hash):
            yield f"position {self.position}: the chain does not end at its signed head"

    def _checkpoint(self, head: Head | None) -> Iterator[str]:
        if self.met_known or self.known is None:
            return
        position = self.known[0]
        if head is not None and position <= head.pruned_position:
            return  # Retention took it, and signed for that.
        yield f"position {position}: is not, or not as, in the checkpoint"

    def _never_sealed(self, after: timedelta) -> Iterator[str]:
        with connection.cursor() as cursor:
            cursor.execute(_UNSEALED, [self.team_id, timezone.now() - after, MOST_PROBLEMS])
            for entry_id, action, resource, resource_id, created_at in cursor.fetchall():
                yield (
                    f"entry {entry_id} ({action} {resource} {resource_id}):"
                    f" not sealed since {created_at:%F %T}"
                )


def _read_links(team_id: uuid.UUID) -> Iterator[Link]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_CHAIN, [team_id])
        while rows := cursor.fetchmany(_FETCH):
            for row in rows:
                facts = Facts(*row[7:]) if row[7] is not None else None
                yield Link._make([*row[:7], facts])
