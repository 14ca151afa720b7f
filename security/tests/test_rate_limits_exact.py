"""Limits on failures: never one attempt more is judged, whoever else counts at the same time."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpRequest

from crm.api.errors import ApiError, AuthRateLimited, ServiceUnavailable
from security.rate_limits.exact import reserve_failure
from security.tests.counters import SetRate
from security.tests.counting_process import call_from, count_in_processes, count_in_threads
from security.tests.redis_server import RedisServer


def fail(address: str = "203.0.113.7") -> HttpRequest:
    request = call_from(address)
    with reserve_failure("login", request):
        pass
    return request


def succeed() -> HttpRequest:
    request = call_from("203.0.113.7")
    with reserve_failure("login", request) as reservation:
        reservation.give_back()
    return request


def is_judged(address: str) -> bool:
    try:
        fail(address)
    except AuthRateLimited:
        return False
    return True


def test_a_hundred_attempts_in_sixteen_threads_are_judged_to_the_limit(counters: Any) -> None:
    assert count_in_threads("exact", calls=100, threads=16) == 30


def test_attempts_in_two_processes_are_judged_to_the_limit(
    counters: Any, counting_environment: Mapping[str, str]
) -> None:
    judged = count_in_processes(
        "exact", processes=2, calls=50, threads=8, environment=counting_environment
    )
    assert judged == 30


def test_right_attempts_use_nothing_up(counters: Any, set_rate: SetRate) -> None:
    set_rate("login", "2/15m")
    for _ in range(5):
        request = succeed()
    assert request.rate_limits["login"].remaining == 2  # type: ignore[attr-defined]


def test_right_attempts_in_parallel_leave_the_limit_whole(counters: Any, set_rate: SetRate) -> None:
    set_rate("login", "4/15m")

    def attempt(_: int) -> None:
        try:
            succeed()
        except AuthRateLimited:
            return

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(attempt, range(64)))
    assert [is_judged("203.0.113.7") for _ in range(5)] == [True] * 4 + [False]


def test_attempt_above_the_limit_hears_when_to_return(counters: Any, set_rate: SetRate) -> None:
    set_rate("login", "1/15m")
    fail()
    with pytest.raises(AuthRateLimited) as refusal:
        fail()
    headers = refusal.value.headers
    assert headers["RateLimit-Limit"] == "1"
    assert headers["RateLimit-Remaining"] == "0"
    assert 0 < int(headers["Retry-After"]) <= 15 * 60 + 1
    assert int(headers["Retry-After"]) == int(headers["RateLimit-Reset"]) + 1


def test_exception_while_judging_stays_a_failure(counters: Any, set_rate: SetRate) -> None:
    set_rate("login", "1/15m")
    with pytest.raises(ApiError), reserve_failure("login", call_from("203.0.113.7")):
        raise ApiError
    assert not is_judged("203.0.113.7")


@pytest.mark.django_db(transaction=True)
def test_failure_outlives_the_rollback_of_its_request(counters: Any, set_rate: SetRate) -> None:
    set_rate("login", "1/15m")
    with transaction.atomic():
        fail()
        transaction.set_rollback(True)
    assert not is_judged("203.0.113.7")


@pytest.mark.django_db(transaction=True)
def test_counter_is_not_locked_while_the_request_goes_on(counters: Any) -> None:
    with transaction.atomic():
        fail()
        other = threading.Thread(target=fail)
        other.start()
        other.join(timeout=1)
        assert not other.is_alive()


def test_addresses_count_apart_and_one_ipv6_network_together(
    counters: Any, set_rate: SetRate
) -> None:
    set_rate("login", "1/15m")
    assert is_judged("203.0.113.7")
    assert is_judged("2001:db8:1:1::1")
    assert not is_judged("2001:db8:1:1:ffff:ffff:ffff:ffff")
    assert is_judged("2001:db8:1:2::1")


def test_ipv4_written_as_ipv6_does_not_share_one_counter(counters: Any, set_rate: SetRate) -> None:
    set_rate("login", "1/15m")
    assert is_judged("::ffff:203.0.113.7")
    assert is_judged("::ffff:203.0.113.8")
    assert not is_judged("203.0.113.7")


def test_limit_of_zero_counts_nothing(counters: Any, set_rate: SetRate) -> None:
    set_rate("login", "0")
    request = fail()
    succeed()
    assert not hasattr(request, "rate_limits")


def test_request_without_a_client_address_is_an_error() -> None:
    with pytest.raises(ImproperlyConfigured), reserve_failure("login", HttpRequest()):
        pass


def test_sign_in_is_refused_while_the_database_is_down(
    counter_connections: None, broken_database: None, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ServiceUnavailable):
        fail()
    assert "counter store is down" in caplog.text
    assert "login refused" in caplog.text


@pytest.mark.parametrize("counters", ["redis"], indirect=True)
def test_sign_in_is_refused_while_redis_is_down_and_goes_on_after(
    counters: Any, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    fail()
    redis_server.stop()
    for _ in range(3):
        with pytest.raises(ServiceUnavailable):
            fail()
    redis_server.start()
    fail()
    assert caplog.text.count("counter store is down") == 1
    assert caplog.text.count("counter store is back") == 1


@pytest.mark.parametrize("counters", ["redis"], indirect=True)
def test_redis_that_hangs_does_not_hang_the_sign_in(
    counters: Any, redis_server: RedisServer
) -> None:
    fail()
    redis_server.freeze()
    began_at = time.monotonic()
    try:
        with pytest.raises(ServiceUnavailable):
            fail()
    finally:
        redis_server.thaw()
    assert time.monotonic() - began_at < 1.5


def test_success_while_the_store_went_down_is_a_success(
    counters: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with reserve_failure("login", call_from("203.0.113.7")) as reservation:
        counters.clear()
        reservation.give_back()
    assert "a failure stays counted" in caplog.text


def test_counter_that_the_store_lost_is_no_licence_to_guess(
    counters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_arguments: object, **_options: object) -> int:
        raise ValueError

    fail()
    monkeypatch.setattr(type(counters), "incr", lose)
    with pytest.raises(ServiceUnavailable):
        fail()
