"""The cache of counters in PostgreSQL keeps the promises of Django's caches, atomically."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from crm.db import autonomous
from crm.db.counter_cache import CounterCache, connections


@pytest.fixture
def cache(counter_connections: None) -> Iterator[CounterCache]:
    cache = CounterCache("", {})
    yield cache
    cache.clear()


def test_value_is_stored_read_and_deleted(cache: CounterCache) -> None:
    cache.set("visits", 3)
    assert cache.get("visits") == 3
    assert cache.delete("visits")
    assert not cache.delete("visits")
    assert cache.get("visits", 0) == 0


def test_add_stores_only_what_is_absent(cache: CounterCache) -> None:
    assert cache.add("visits", 1)
    assert not cache.add("visits", 9)
    assert cache.get("visits") == 1


def test_incr_and_decr_need_a_value(cache: CounterCache) -> None:
    cache.set("visits", 3)
    assert cache.incr("visits", 2) == 5
    assert cache.decr("visits") == 4
    with pytest.raises(ValueError, match="not found"):
        cache.incr("absent")


def test_expired_value_is_absent(cache: CounterCache) -> None:
    cache.set("visits", 3, timeout=0)
    assert cache.get("visits") is None
    assert not cache.touch("visits", 60)
    with pytest.raises(ValueError, match="not found"):
        cache.incr("visits")
    assert not cache.delete("visits")
    cache.set("visits", 3, timeout=-1)
    assert cache.add("visits", 1)
    assert cache.get("visits") == 1


def test_touch_moves_the_expiry(cache: CounterCache) -> None:
    cache.set("visits", 3, timeout=None)
    assert cache.touch("visits", -1)
    assert cache.get("visits") is None


def test_many_counters_are_counted_in_one_statement(cache: CounterCache) -> None:
    cache.set("old", 5, timeout=60)
    cache.set("over", 7, timeout=0)
    totals = cache.count_many({"old": (2, 60), "over": (3, 60), "new": (4, 60)})
    assert totals == {"old": 7, "over": 3, "new": 4}
    assert cache.get("over") == 3


def test_deltas_of_parallel_batches_all_count(cache: CounterCache) -> None:
    names = [f"counter-{number}" for number in range(40)]

    def count(turn: int) -> None:
        ordered = names if turn % 2 else names[::-1]
        cache.count_many(dict.fromkeys(ordered, (1, 60)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(50)))
    assert {cache.get(name) for name in names} == {50}


def test_only_integers_are_counted(cache: CounterCache) -> None:
    with pytest.raises(TypeError, match="not str"):
        cache.set("visits", "3")


def test_expired_rows_are_deleted_in_portions(cache: CounterCache) -> None:
    for number in range(5):
        cache.set(f"over-{number}", 1, timeout=0)
    cache.set("present", 1, timeout=60)
    assert cache.delete_expired(limit=3) == 3
    assert cache.delete_expired() == 2
    assert cache.get("present") == 1


@pytest.mark.django_db
def test_nothing_runs_on_the_connection_of_the_request(cache: CounterCache) -> None:
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        cache.set("visits", 1)
        cache.incr("visits")
        transaction.set_rollback(True)
    assert cache.get("visits") == 2
    assert not [query for query in queries if "crm_counter" in query["sql"]]


def test_connection_that_died_while_idle_is_replaced(cache: CounterCache) -> None:
    cache.set("visits", 1)
    for idle in connections._idle:
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert cache.incr("visits") == 2


def test_connection_survives_a_statement_that_fails(cache: CounterCache) -> None:
    cache.set("visits", 1)
    idle = list(connections._idle)
    with pytest.raises(DatabaseError):
        connections.fetch("SELECT 1 / 0")
    assert connections._idle == idle


def test_at_most_four_connections_are_held(cache: CounterCache) -> None:
    cache.set("visits", 0)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: cache.incr("visits"), range(200)))
    assert cache.get("visits") == 200
    assert len(connections._idle) <= 4


def test_caller_waits_for_a_connection_only_so_long(
    cache: CounterCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autonomous, "SLOT_TIMEOUT_SECONDS", 0.01)
    with ExitStack() as lent:
        for _ in range(autonomous.MAX_CONNECTIONS):
            lent.enter_context(connections._connection())
        with pytest.raises(DatabaseError, match="busy"):
            cache.get("visits")
    assert cache.get("visits") is None


def test_server_that_is_down_is_a_database_error(
    cache: CounterCache, broken_database: None
) -> None:
    with pytest.raises(DatabaseError):
        cache.get("visits")


def test_checks_of_django_ratelimit_pass() -> None:
    found = [message.id for message in run_checks(tags=["caches"]) if not message.is_silenced()]
    assert found == []
    assert "django_ratelimit.W001" in settings.SILENCED_SYSTEM_CHECKS
    assert "django_ratelimit" in settings.INSTALLED_APPS
