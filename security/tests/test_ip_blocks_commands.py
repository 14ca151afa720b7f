"""Blocks by hand on a shell, and the job that tidies up."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command

from security.events.types import EventType
from security.ip_blocks.models import IpBlock
from security.ip_blocks.services import block_network
from security.jobs import delete_expired_blocks
from security.tests.events import stored_events

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@time_machine.travel(NOON, tick=False)
def test_an_address_is_blocked_for_a_time(db: None) -> None:
    printed = run("block_address", "203.0.113.7", "--for", "24h", "--reason", "scanning")
    assert printed == "Blocked 203.0.113.7/32 until 2026-11-22 12:00:00 UTC.\n"
    (event,) = stored_events(EventType.ADDRESS_BLOCKED)
    assert (event.actor_kind, event.ip_address) == ("command", None)
    assert event.metadata == {
        "network": "203.0.113.7/32",
        "reason": "scanning",
        "by": "command",
        "end": "until 2026-11-22 12:00:00 UTC",
    }


def test_a_network_is_blocked_until_it_is_lifted(db: None) -> None:
    assert run("block_address", "2001:db8::/64") == "Blocked 2001:db8::/64 until it is lifted.\n"
    assert run("unblock_address", "2001:db8::/64") == "Unblocked 2001:db8::/64.\n"
    assert run("unblock_address", "2001:db8::/64") == "2001:db8::/64 was not blocked.\n"
    assert stored_events(EventType.ADDRESS_UNBLOCKED)[0].actor_kind == "command"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["block_address", "127.0.0.1"], "never blocked"),
        (["block_address", "0.0.0.0/0"], "too wide"),
        (["block_address", "garbage"], "Not an IP address"),
        (["block_address", "203.0.113.7", "--for", "a while"], "invalid duration value"),
        (["unblock_address", "garbage"], "Not an IP address"),
    ],
)
def test_a_refusal_is_one_clear_line(db: None, arguments: list[str], line: str) -> None:
    with pytest.raises(CommandError, match=line) as refusal:
        run(*arguments)
    assert "\n" not in str(refusal.value)
    assert not IpBlock.objects.exists()


def test_an_address_inside_a_blocked_network_is_told_which(db: None) -> None:
    run("block_address", "203.0.113.0/24")
    with pytest.raises(CommandError, match="unblock that"):
        run("unblock_address", "203.0.113.7")
    run("block_address", "203.0.113.7")
    assert "still blocked by 203.0.113.0/24" in run("unblock_address", "203.0.113.7")


def test_the_blocks_in_force_are_listed(db: None) -> None:
    assert run("list_blocks") == "No address is blocked.\n"
    assert json.loads(run("list_blocks", "--json")) == []
    block_network("203.0.113.7", by="honeypot", reason="GET /.env")
    block_network("203.0.113.8", by="rule", duration=timedelta(seconds=-1))
    assert run("list_blocks") == "203.0.113.7/32  until it is lifted  by honeypot  GET /.env\n"
    (listed,) = json.loads(run("list_blocks", "--json"))
    assert (listed["network"], listed["blockedUntil"]) == ("203.0.113.7/32", None)


def test_the_job_deletes_what_is_long_over(db: None) -> None:
    with time_machine.travel(NOON):
        block_network("203.0.113.7", by="rule", duration=timedelta(days=1))
        block_network("203.0.113.8", by="rule")
    with time_machine.travel(NOON + timedelta(days=3)):
        for _ in range(2):
            delete_expired_blocks()
    assert [str(block) for block in IpBlock.objects.all()] == ["203.0.113.8/32"]
