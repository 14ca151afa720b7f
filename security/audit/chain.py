"""The arithmetic of the chain: digests, links, signatures. It reads no database.

A link is an HMAC, its key is not in the database: who can change every row still cannot make a
chain that proves.
"""

import hashlib
import hmac
import uuid
from typing import Any, NamedTuple

from crm.api import json
from crm.env import env

GENESIS = bytes(32)


class UnknownKey(LookupError):
    """A link was made with a key that AUDIT_KEYS does not hold."""


class Facts(NamedTuple):
    """An entry as the chain sees it; times are microseconds, values PostgreSQL's own text."""

    entry_id: uuid.UUID
    team_id: uuid.UUID
    transaction_id: int
    number: int
    action: str
    resource_type: str
    resource_id: uuid.UUID
    actor_kind: str
    actor_id: str
    actor_label: str
    request_id: str
    ip_address: str
    created_at: int
    old_values: str | None
    new_values: str | None


# The columns of Facts, of an entry `e`.
FACTS = """
    e.id, e.team_id, e.transaction_id, e.number, e.action, e.resource_type, e.resource_id,
    e.actor_kind, e.actor_id, e.actor_label, e.request_id, e.ip_address,
    (extract(epoch FROM e.created_at) * 1000000)::bigint, e.old_values::text, e.new_values::text
"""


class Head(NamedTuple):
    """The end of a chain, and the last link that retention took."""

    team_id: uuid.UUID
    position: int = 0
    hash: bytes = GENESIS
    transaction_id: int = -1
    number: int = -1
    pruned_position: int = 0
    pruned_hash: bytes = GENESIS


def current_key_id() -> str:
    """Return the id of the key that seals."""
    return env.audit_keys[0][0]


def sign(key_id: str, purpose: str, *parts: Any) -> bytes:
    """Return the HMAC-SHA256 of the parts under a key. Raises `UnknownKey`.

    The parts are written as JSON, so that no two lists of parts are the same bytes.
    """
    secret = dict(env.audit_keys).get(key_id)
    if secret is None:
        raise UnknownKey(f"AUDIT_KEYS has no key {key_id!r}.")
    return hmac.digest(secret.encode(), json.dumps([purpose, *parts]), "sha256")


def digest_values(salt: bytes, facts: Facts) -> bytes:
    """Return the digest under which values are in the chain.

    The salt is deleted when they are erased: nobody can then find them by trying.
    """
    return hashlib.sha256(salt + json.dumps([facts.old_values, facts.new_values])).digest()


def link_hash(key_id: str, *, previous: bytes, position: int, digest: bytes, facts: Facts) -> bytes:
    """Return the hash of a link: of the one before it, its place, its entry."""
    return sign(key_id, "link", previous.hex(), position, digest.hex(), *facts[:-2])


def head_signature(key_id: str, head: Head) -> bytes:
    """Return the signature of a chain's end: without it, a cut tail could not be seen."""
    parts = [part.hex() if isinstance(part, bytes) else part for part in head]
    return sign(key_id, "head", *parts)


def is_same(one: bytes, other: bytes) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(one, other)
