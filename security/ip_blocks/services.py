"""Blocking and unblocking: the admin, commands, rules and honeypots call these."""

from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from crm.db.ids import uuid7
from security.events.cleaning import clean_text
from security.events.collector import record_event
from security.events.types import EventType
from security.ip_blocks.matcher import block_list
from security.ip_blocks.models import IpBlock
from security.ip_blocks.networks import (
    NotBlockable,
    parse_network,
    subscriber_network,
    why_not_blockable,
)

# A block that is over stays this long, for staff to see that an address was here before.
KEPT_WHEN_OVER: Final = timedelta(days=1)

# One statement, so that whatever comes at once makes one row. A block that stands is only ever
# prolonged, and by less than five seconds not at all: so late may a process be to hear of a block,
# and what it lets through meanwhile is the same attack.
_BLOCK = """
    INSERT INTO security_ipblock AS b
           (id, network, reason, blocked_until, blocked_by, created_at)
    VALUES (%(id)s, %(network)s, %(reason)s, %(until)s, %(by)s, %(now)s)
    ON CONFLICT (network) DO UPDATE SET
           reason = excluded.reason, blocked_until = excluded.blocked_until,
           blocked_by = excluded.blocked_by,
           created_at = CASE WHEN b.blocked_until <= excluded.created_at
                             THEN excluded.created_at ELSE b.created_at END
     WHERE b.blocked_until <= excluded.created_at
        OR excluded.blocked_until > b.blocked_until + interval '5 seconds'
        OR (excluded.blocked_until IS NULL AND b.blocked_until IS NOT NULL)
    RETURNING id
"""


def block_network(
    network: str, *, by: str, reason: str = "", duration: timedelta | None = None
) -> IpBlock:
    """Block a network for a time, or until it is lifted; return the block that stands then.

    A network that is blocked already is blocked longer, never shorter. `by` names the member of
    staff, the command or the rule. Every process refuses the network's requests within five
    seconds of the commit. Raises `NotBlockable` for what is no network, is too wide, or holds an
    address that is exempt.
    """
    parsed = parse_network(network)
    refusal = why_not_blockable(parsed)
    if refusal is not None:
        raise NotBlockable(refusal)
    now = timezone.now()
    until = None if duration is None else now + duration
    values: dict[str, Any] = {"id": uuid7(), "network": parsed, "until": until, "now": now}
    values |= {"reason": clean_text(reason, 200), "by": clean_text(by, 254)}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_BLOCK, values)
            is_changed = cursor.fetchone() is not None
        block: IpBlock = IpBlock.objects.get(network=str(parsed))
        if is_changed:
            _record(EventType.ADDRESS_BLOCKED, block, end=block.end)
            transaction.on_commit(block_list.wake)
    return block


def block_client(
    client_ip: str, *, by: str, reason: str = "", duration: timedelta | None
) -> IpBlock | None:
    """Block who sends from an address, `request.client_ip` or what was recorded from it.

    For rules: of IPv6 the whole /64 is blocked, and an address that is exempt is left alone; None
    is returned then. `duration` as in `block_network`.
    """
    network = subscriber_network(client_ip)
    if network is None or why_not_blockable(network) is not None:
        return None
    return block_network(str(network), by=by, reason=reason, duration=duration)


def unblock_network(network: str, *, by: str) -> bool:
    """Lift the block on exactly this network; tell whether it was in force.

    Raises `NotBlockable` for what is no network.
    """
    with transaction.atomic():
        blocks = IpBlock.objects.select_for_update().filter(network=str(parse_network(network)))
        block: IpBlock | None = blocks.first()
        if block is None:
            return False
        was_active = block.is_active
        block.delete()
        if was_active:
            _record(EventType.ADDRESS_UNBLOCKED, block, by=by)
            transaction.on_commit(block_list.wake)
    return was_active


def delete_expired_blocks() -> int:
    """Delete the blocks that were over a day ago; return how many they were."""
    long_over = IpBlock.objects.filter(blocked_until__lte=timezone.now() - KEPT_WHEN_OVER)
    return int(long_over.delete()[0])


def _record(event_type: EventType, block: IpBlock, **metadata: object) -> None:
    facts = {"network": str(block.network), "reason": block.reason, "by": block.blocked_by}
    record_event(event_type, user_id=None, team_id=None, **{**facts, **metadata})
