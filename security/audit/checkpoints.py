"""Signed ends of all chains, to be kept where the database's keeper cannot reach them.

A chain that was rolled back with its head is true to itself; a checkpoint knows better.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from crm.api import json
from crm.db.tenancy import context
from security.audit.chain import UnknownKey, current_key_id, is_same, sign
from security.audit.heads import read_head, teams

Heads = Mapping[uuid.UUID, tuple[int, str]]


class BadCheckpoint(ValueError):
    """The file is no checkpoint that one of our keys signed."""


def make_checkpoint() -> dict[str, Any]:
    """Return the signed heads of all chains. Raises `BrokenChain`."""
    with context(all_teams="on"):
        found = [head for head in map(read_head, teams()) if head is not None]
    key_id, made_at = current_key_id(), timezone.now().isoformat()
    heads = [[str(head.team_id), head.position, head.hash.hex()] for head in found]
    signature = sign(key_id, "checkpoint", made_at, heads).hex()
    return {"madeAt": made_at, "heads": heads, "keyId": key_id, "signature": signature}


def read_checkpoint(raw: bytes) -> Heads:
    """Return team → (position, hash). Raises `BadCheckpoint`."""
    try:
        content = json.loads(raw)
        made = sign(content["keyId"], "checkpoint", content["madeAt"], content["heads"])
        is_ours = is_same(made, bytes.fromhex(content["signature"]))
        heads = {
            uuid.UUID(team): (int(position), hash) for team, position, hash in content["heads"]
        }
    except (ValueError, KeyError, TypeError, UnknownKey) as error:
        raise BadCheckpoint(f"not a checkpoint: {error}") from error
    if not is_ours:
        raise BadCheckpoint("the checkpoint's signature is wrong")
    return heads
