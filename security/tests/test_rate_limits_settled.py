"""General limits: counted in the process, settled by a thread, at most 10 % above the limit."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from crm.db.counter_cache import CounterCache
from crm.env.rate import Rate
from security.rate_limits import settled
from security.rate_limits.settled import SettledCounter, settled_counter
from security.rate_limits.store import count_many, outage
from security.rate_limits.table import LIMITS
from security.rate_limits.verdict import Verdict
from security.tests.counters import SetRate
from security.tests.counting_process import call_once, count_in_processes, count_in_threads
from security.tests.redis_server import RedisServer

ANONYMOUS = LIMITS["anonymous"]


def count(value: str, rate: str) -> Verdict:
    parsed = Rate.parse(rate)
    assert parsed is not None
    return settled_counter.count(ANONYMOUS, value, parsed)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_let_at_most_a_tenth_too_many_through(
    counters: Any, counting_environment: Mapping[str, str], processes: int
) -> None:
    environment = {**counting_environment, "RATE_LIMIT_ANONYMOUS": "600/1d"}
    let_through = count_in_processes(
        "settled", processes=processes, calls=700, threads=8, environment=environment
    )
    assert 600 <= let_through <= 660


def test_small_limit_is_exact_across_processes(
    counters: Any, counting_environment: Mapping[str, str]
) -> None:
    environment = {**counting_environment, "RATE_LIMIT_ANONYMOUS": "10/1d"}
    let_through = count_in_processes(
        "settled", processes=2, calls=40, threads=8, environment=environment
    )
    assert let_through == 10


def test_threads_of_one_process_let_exactly_the_limit_through(
    counters: Any, set_rate: SetRate
) -> None:
    set_rate("anonymous", "100/1d")
    assert count_in_threads("settled", calls=400, threads=16) == 100


def test_forked_child_counts_on_connections_of_its_own(
    counters: Any, counting_environment: Mapping[str, str]
) -> None:
    # The limit has no slack: parent and child use the store in turn, at every call.
    environment = {**counting_environment, "RATE_LIMIT_ANONYMOUS": "10/1d"}
    let_through = count_in_processes(
        "forked", processes=1, calls=5, threads=1, environment=environment
    )
    assert let_through == 5
    assert not count_in_processes(
        "settled", processes=1, calls=1, threads=1, environment=environment
    )


def test_ordinary_call_does_not_use_the_store(
    counters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    users: set[str] = set()

    def record_thread(deltas: Mapping[str, tuple[int, float]]) -> dict[str, int]:
        users.add(threading.current_thread().name)
        return count_many(deltas)

    monkeypatch.setattr(settled, "count_many", record_thread)
    for _ in range(20):
        count("203.0.113.7", "600/1m")
        time.sleep(0.005)
    wait_until(lambda: bool(users))
    assert users == {"rate-limits"}


def test_call_is_known_to_other_processes_soon(counters: Any) -> None:
    count("203.0.113.7", "600/1d")
    other_process = SettledCounter()

    def is_known() -> bool:
        rate = Rate(600, 24 * 60 * 60)
        verdict = other_process.count(ANONYMOUS, "203.0.113.7", rate)
        other_process.settle()
        return verdict.remaining < 599

    wait_until(is_known)
    other_process.stop()


def test_calls_go_on_and_are_limited_while_the_database_is_down(
    counter_connections: None,
    broken_database: None,
    set_rate: SetRate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    set_rate("anonymous", "10/1d")
    assert [call_once() for _ in range(12)] == [True] * 10 + [False] * 2
    settled_counter.settle()
    assert caplog.text.count("counter store is down") == 1


@pytest.mark.parametrize("counters", ["redis"], indirect=True)
def test_calls_counted_while_redis_is_down_are_settled_after(
    counters: Any, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.stop()
    for _ in range(50):
        assert count("203.0.113.7", "100/1d").allowed
    wait_until(lambda: outage.is_on)
    redis_server.start()
    wait_until(lambda: not outage.is_on)
    other_process = SettledCounter()
    other_process.count(ANONYMOUS, "203.0.113.7", Rate(100, 24 * 60 * 60))
    other_process.settle()
    verdict = other_process.count(ANONYMOUS, "203.0.113.7", Rate(100, 24 * 60 * 60))
    assert verdict.remaining == 48
    assert caplog.text.count("counter store is down") == 1
    assert caplog.text.count("counter store is back") == 1
    other_process.stop()


@pytest.mark.parametrize("counters", ["redis"], indirect=True)
def test_redis_that_hangs_holds_up_one_call_only(counters: Any, redis_server: RedisServer) -> None:
    count("203.0.113.7", "10/1d")
    redis_server.freeze()
    began_at = time.monotonic()
    try:
        for _ in range(5):
            count("203.0.113.7", "10/1d")
    finally:
        redis_server.thaw()
    assert time.monotonic() - began_at < 1.5


def test_filling_the_table_does_not_reset_a_count(
    counters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settled, "MAX_BUCKETS", 50)
    while count("203.0.113.7", "100/1d").allowed:
        pass
    for number in range(200):
        count(f"198.51.100.{number}", "100/1d")
    assert len(settled_counter._tables["anonymous"]) == 50
    assert "203.0.113.7" not in settled_counter._tables["anonymous"]
    assert not count("203.0.113.7", "100/1d").allowed


def test_full_table_forgets_nobody_while_the_store_is_down(
    counter_connections: None, broken_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settled, "MAX_BUCKETS", 50)
    monkeypatch.setattr(settled, "OVERFLOW_BUCKETS", 4)
    while count("203.0.113.7", "10/1d").allowed:
        pass
    for number in range(200):
        count(f"198.51.100.{number}", "10/1d")
    assert len(settled_counter._tables["anonymous"]) <= 54
    assert not count("203.0.113.7", "10/1d").allowed


def test_windows_that_are_over_are_dropped(counters: Any) -> None:
    for number in range(5):
        count(f"198.51.100.{number}", "100/1s")
    count("203.0.113.7", "100/1d")
    time.sleep(1.1)
    settled_counter.tidy()
    assert set(settled_counter._tables["anonymous"]) == {"203.0.113.7"}


def test_tidying_deletes_expired_rows(counter_connections: None) -> None:
    cache = CounterCache("", {})
    cache.set("over", 1, timeout=0)
    cache.set("present", 1, timeout=60)
    settled_counter.tidy()
    assert cache.delete_expired() == 0
    assert cache.get("present") == 1
    cache.clear()


def test_tidying_outlives_a_store_that_is_down(
    counter_connections: None, broken_database: None
) -> None:
    settled_counter.tidy()
    assert outage.is_on


def test_thread_that_died_is_replaced(counters: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    count("203.0.113.7", "600/1m")
    thread = settled_counter._thread
    assert thread is not None
    settled_counter.stop()
    assert not thread.is_alive()
    count("203.0.113.7", "600/1m")
    assert settled_counter._thread is not None
    assert settled_counter._thread.is_alive()
