"""What may be blocked, by whom, for how long; and what never is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DataError, connection

from security.events.types import EventType
from security.ip_blocks.models import IpBlock
from security.ip_blocks.networks import NotBlockable
from security.ip_blocks.services import (
    block_client,
    block_network,
    delete_expired_blocks,
    unblock_network,
)
from security.request.client_ip import UNKNOWN_ADDRESS
from security.tests.blocks import SetExempt
from security.tests.events import stored_events
from tests.threads import at_once

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SCANNER = "203.0.113.7"


def blocked() -> list[str]:
    """Return the networks that are blocked now."""
    return sorted(str(block) for block in IpBlock.objects.active())


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (" 203.0.113.7 ", "203.0.113.7/32"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("2001:DB8:0::1", "2001:db8::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_a_network_is_blocked_in_its_usual_form(db: None, written: str, stored: str) -> None:
    assert str(block_network(written, by="test")) == stored
    assert blocked() == [stored]
    covers: dict[str, Any] = {"network__covers": stored}
    assert IpBlock.objects.filter(**covers).exists()


@pytest.mark.parametrize(
    "written", ["", "x", "203.0.113.7/24", "203.0.113.256", "fe80::1%eth0", "1", "203.0.113.7/33"]
)
def test_what_is_no_network_is_refused(db: None, written: str) -> None:
    with pytest.raises(NotBlockable, match="Not an IP address"):
        block_network(written, by="test")


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("127.0.0.1", "this machine"),
        ("127.5.0.0/16", "this machine"),
        ("::1", "this machine"),
        ("::ffff:127.0.0.1", "this machine"),
        ("::ffff:0:0/96", "too wide"),
        (UNKNOWN_ADDRESS, "without an address"),
        ("0.0.0.0/0", "too wide"),
        ("::/0", "too wide"),
        ("64.0.0.0/7", "too wide"),
        ("2000::/15", "too wide"),
        ("10.1.2.3", "TRUSTED_PROXIES"),
        ("10.0.0.0/8", "TRUSTED_PROXIES"),
        ("198.51.0.0/16", "ADMIN_ALLOWED_IPS"),
        ("198.51.100.7", "ADMIN_ALLOWED_IPS"),
        ("2001:db8::/32", "BLOCK_EXEMPT_NETWORKS"),
        ("192.0.2.1", "BLOCK_EXEMPT_NETWORKS"),
    ],
)
def test_what_is_exempt_and_what_holds_it_is_refused(
    db: None, set_exempt: SetExempt, network: str, reason: str
) -> None:
    set_exempt(
        trusted_proxies="10.1.0.0/16",
        admin_allowed_ips="198.51.100.0/24",
        block_exempt_networks="2001:db8:1::/48, ::ffff:192.0.2.0/120",
    )
    with pytest.raises(NotBlockable, match=reason):
        block_network(network, by="test")
    assert blocked() == []


def test_the_widest_networks_are_blocked(db: None) -> None:
    for network in ("64.0.0.0/8", "2001::/16"):
        assert block_network(network, by="test").is_active


def test_blocking_again_prolongs_and_never_shortens(db: None) -> None:
    with time_machine.travel(NOON, tick=False):
        block_network(SCANNER, by="first", duration=2 * DAY)
        block_network(SCANNER, by="shorter", duration=DAY)
        assert IpBlock.objects.get().blocked_by == "first"
        block_network(SCANNER, by="longer", reason="again", duration=3 * DAY)
        block = IpBlock.objects.get()
        assert (block.blocked_until, block.blocked_by) == (NOON + 3 * DAY, "longer")
        block_network(SCANNER, by="for ever")
        block_network(SCANNER, by="later", duration=9 * DAY)
    block = IpBlock.objects.get()
    assert (block.blocked_until, block.blocked_by) == (None, "for ever")
    events = stored_events(EventType.ADDRESS_BLOCKED)
    assert [event.metadata["by"] for event in events] == ["first", "longer", "for ever"]


def test_a_block_that_is_over_begins_anew(db: None) -> None:
    with time_machine.travel(NOON, tick=False):
        block_network(SCANNER, by="first", duration=DAY)
    with time_machine.travel(NOON + 2 * DAY, tick=False):
        block = block_network(SCANNER, by="second", duration=timedelta(hours=1))
    assert block.created_at == NOON + 2 * DAY
    assert block.blocked_until == NOON + 2 * DAY + timedelta(hours=1)


def test_a_rule_blocks_a_subscriber(db: None) -> None:
    for address in (SCANNER, "::ffff:203.0.113.8", "2001:db8:1:2:3:4:5:6"):
        assert block_client(address, by="rule", duration=DAY)
    assert blocked() == ["2001:db8:1:2::/64", "203.0.113.7/32", "203.0.113.8/32"]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", UNKNOWN_ADDRESS, "garbage", "", "10.1.2.3"]
)
def test_a_rule_leaves_alone_what_is_exempt(db: None, set_exempt: SetExempt, address: str) -> None:
    set_exempt(trusted_proxies="10.0.0.0/8")
    assert block_client(address, by="rule", duration=DAY) is None
    assert blocked() == []
    assert stored_events() == []


def test_a_lifted_block_is_gone_and_recorded(db: None) -> None:
    block_network(SCANNER, by="rule", reason="scanning")
    assert not unblock_network("203.0.113.0/24", by="staff")
    assert unblock_network("::ffff:203.0.113.7", by="staff")
    assert not unblock_network(SCANNER, by="staff")
    assert not IpBlock.objects.exists()
    (event,) = stored_events(EventType.ADDRESS_UNBLOCKED)
    expected = {"network": "203.0.113.7/32", "reason": "scanning", "by": "staff"}
    assert event.metadata == expected


def test_what_was_over_already_is_not_lifted(db: None) -> None:
    with time_machine.travel(NOON):
        block_network(SCANNER, by="rule", duration=DAY)
    with time_machine.travel(NOON + 2 * DAY):
        assert not unblock_network(SCANNER, by="staff")
    assert not stored_events(EventType.ADDRESS_UNBLOCKED)


def test_blocks_that_were_over_a_day_ago_are_deleted(db: None) -> None:
    with time_machine.travel(NOON, tick=False):
        for number, duration in enumerate([DAY, 2 * DAY, 9 * DAY, None]):
            block_network(f"203.0.113.{number}", by="rule", duration=duration)
    with time_machine.travel(NOON + 2 * DAY, tick=False):
        assert delete_expired_blocks() == 1
    assert sorted(map(str, IpBlock.objects.all()))[0] == "203.0.113.1/32"


def test_labels_are_one_clean_line(db: None) -> None:
    block = block_network(SCANNER, by="a\nb" + "x" * 300, reason="\x00" + "y" * 300)
    assert (len(block.blocked_by), len(block.reason)) == (254, 200)
    assert block.blocked_by.startswith("a b")


@pytest.mark.django_db(transaction=True)
def test_sixteen_at_once_make_one_block_and_one_event() -> None:
    at_once(16, lambda _: block_client(SCANNER, by="rule", duration=DAY))
    assert blocked() == ["203.0.113.7/32"]
    assert len(stored_events(EventType.ADDRESS_BLOCKED)) == 1


def test_the_database_takes_networks_only(db: None) -> None:
    insert: Any = (
        "INSERT INTO security_ipblock VALUES (gen_random_uuid(), %s, '', NULL, 'x', now())"
    )
    with pytest.raises(DataError), connection.cursor() as cursor:
        cursor.execute(insert, ["203.0.113.7/24"])
