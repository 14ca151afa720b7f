"""The list in memory: what it finds, when it learns, and what it does without a database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from crm.db.counter_cache import connections
from security.ip_blocks import matcher
from security.ip_blocks.matcher import BlockList, block_list, is_from_blocked_address
from security.ip_blocks.models import IpBlock
from security.ip_blocks.services import block_network, unblock_network
from security.tests.blocks import SetExempt
from tests.processes import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fresh_block_list")]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_addresses_of_blocked_networks_are_found() -> None:
    for network in ("203.0.113.7", "198.51.100.0/24", "198.51.0.0/16", "2001:db8:1:2::/64"):
        block_network(network, by="test")
    assert block_list.find("203.0.113.7") is None
    block_list.refresh()
    found = {
        "203.0.113.7": "203.0.113.7/32",
        "::ffff:203.0.113.7": "203.0.113.7/32",
        "198.51.7.1": "198.51.0.0/16",
        "2001:db8:1:2:ffff::": "2001:db8:1:2::/64",
    }
    assert {address: block_list.find(address) for address in found} == found
    for other in ("203.0.113.6", "203.0.113.8", "2001:db8:1:3::1", "127.0.0.1", "", "garbage"):
        assert block_list.find(other) is None
    unblock_network("198.51.0.0/16", by="test")
    block_list.refresh()
    assert block_list.find("198.51.7.1") is None
    assert block_list.find("198.51.100.1") == "198.51.100.0/24"


def test_a_block_ends_on_the_second_without_a_refresh() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        # The database has a clock of its own, which is years behind this one's block.
        block_network("203.0.113.7", by="test", duration=timedelta(days=9999))
        block_list.refresh()
        clock.shift(timedelta(days=9999, seconds=-1))
        assert block_list.find("203.0.113.7")
        clock.shift(1)
        assert block_list.find("203.0.113.7") is None


def test_a_prolonged_block_is_read_anew() -> None:
    with time_machine.travel(datetime.now(tz=UTC), tick=False) as clock:
        block_network("203.0.113.7", by="test", duration=timedelta(days=1))
        block_list.refresh()
        block_network("203.0.113.7", by="test", duration=timedelta(days=3))
        block_list.refresh()
        clock.shift(timedelta(days=2))
        assert block_list.find("203.0.113.7")


def test_an_unchanged_table_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    block_network("203.0.113.7", by="test")
    block_list.refresh()
    asked: list[str] = []
    fetch = connections.fetch

    def note(statement: str, parameters: Any = ()) -> Any:
        asked.append(statement)
        return fetch(statement, parameters)

    monkeypatch.setattr(connections, "fetch", note)
    block_list.refresh()
    assert len(asked) == 1


def test_rows_that_came_past_the_services_close_nothing_of_ours(
    set_exempt: SetExempt, caplog: pytest.LogCaptureFixture
) -> None:
    set_exempt(trusted_proxies="10.0.0.0/8")
    for network in ("0.0.0.0/0", "127.0.0.0/8", "10.1.2.3/32", "::/0", "203.0.113.7/32"):
        IpBlock.objects.create(network=network, blocked_by="psql")
    block_list.refresh()
    assert block_list.find("203.0.113.7")
    for address in ("127.0.0.1", "10.1.2.3", "::1", "192.0.2.1", "2001:db8::1"):
        assert block_list.find(address) is None
    assert caplog.text.count("not enforced") == 4


def test_the_last_list_stands_while_the_database_is_away(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    block_network("203.0.113.7", by="test")
    block_list.refresh()
    request.getfixturevalue("broken_database")
    for _ in range(3):
        block_list.refresh()
    assert block_list.find("203.0.113.7")
    assert caplog.text.count("cannot be read") == 1


def test_a_list_learns_again_when_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connections.disconnect()
    with monkeypatch.context() as patch:
        broken = {**connection.settings_dict["OPTIONS"], "host": "/nowhere"}
        patch.setitem(connection.settings_dict, "OPTIONS", broken)
        block_list.refresh()
    block_network("203.0.113.7", by="test")
    block_list.refresh()
    assert block_list.find("203.0.113.7")
    assert caplog.text.count("can be read again") == 1


def learns(found: Callable[[], object]) -> bool:
    return wait_for(lambda: bool(found()), seconds=5)


def test_the_thread_learns_of_blocks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matcher, "TICK_SECONDS", 0.02)
    other_process = BlockList()
    block_network("203.0.113.7", by="test")
    other_process.start()
    assert other_process.find("203.0.113.7"), "the list is read before the first request"
    block_network("203.0.113.8", by="test")
    assert learns(lambda: other_process.find("203.0.113.8"))
    unblock_network("203.0.113.8", by="test")
    assert learns(lambda: other_process.find("203.0.113.8") is None)
    other_process.stop()


def test_the_process_that_blocks_knows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matcher, "TICK_SECONDS", 3600)
    block_list.start()
    block_network("203.0.113.7", by="test")
    assert learns(lambda: block_list.find("203.0.113.7"))


def test_a_thread_that_died_and_a_forked_child_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matcher, "TICK_SECONDS", 0.02)
    child = BlockList()
    child.start()
    block_network("203.0.113.7", by="test")
    assert learns(lambda: child.find("203.0.113.7"))
    first = child._thread
    child._after_fork()  # What a fork leaves: the list without the thread.
    assert child.find("203.0.113.7")
    assert child._thread is not first
    assert child._thread.is_alive()
    block_network("203.0.113.8", by="test")
    assert learns(lambda: child.find("203.0.113.8"))
    child.stop()
    first.join(5)


def test_the_longest_list_keeps_what_people_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matcher, "MOST_BLOCKS", 2)
    block_network("192.0.2.1", by="staff")
    for number in range(3):
        block_network(f"203.0.113.{number}", by="rule", duration=timedelta(days=1))
    block_list.refresh()
    known = ("192.0.2.1", "203.0.113.2")
    assert all(block_list.find(address) for address in known)
    assert block_list.find("203.0.113.0") is None


def test_the_body_of_a_blocked_sender_is_not_read() -> None:
    block_network("203.0.113.7", by="test")
    block_list.refresh()
    assert is_from_blocked_address({"REMOTE_ADDR": "203.0.113.7"})
    forged = {"REMOTE_ADDR": "203.0.113.8", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}
    assert not is_from_blocked_address(forged)
