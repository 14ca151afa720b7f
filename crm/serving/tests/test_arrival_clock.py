"""The time of arrival, also of requests that had to wait for a thread."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from crm.serving.arrival_clock import LONGEST_WAIT_SECONDS, PICK_UP_SECONDS, ArrivalClock

BEGAN = 1_800_000_000.0


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BEGAN, tick=False) as traveller:
        yield traveller


def server(clock: time_machine.Traveller, *, threads: int) -> ArrivalClock:
    """Return an application whose requests last as many seconds as they say."""

    def work(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        clock.shift(environ["seconds"])
        if environ["fails"]:
            raise ConnectionError
        return []

    return ArrivalClock(work, threads=threads)


def arrival(server: ArrivalClock, *, seconds: float = 0, fails: bool = False) -> float:
    """Send a request; return the seconds between the beginning and its arrival."""
    environ: dict[str, Any] = {"seconds": seconds, "fails": fails}
    try:
        server(environ, None)
    except ConnectionError:
        assert fails
    arrived_at: float = environ["crm.arrived_at"]
    return arrived_at - BEGAN


def test_request_arrives_when_it_begins_while_a_thread_is_free(
    clock: time_machine.Traveller,
) -> None:
    free = server(clock, threads=2)
    assert [arrival(free, seconds=5) for _ in range(3)] == [0, 5, 10]


def test_request_after_a_full_house_may_have_waited_all_the_time(
    clock: time_machine.Traveller,
) -> None:
    full = server(clock, threads=1)
    assert [arrival(full, seconds=0.5) for _ in range(3)] == [0, 0, 0]


def test_request_after_a_pause_did_not_wait(clock: time_machine.Traveller) -> None:
    full = server(clock, threads=1)
    arrival(full, seconds=5)
    clock.shift(PICK_UP_SECONDS + 0.01)
    assert arrival(full, seconds=1) == pytest.approx(5 + PICK_UP_SECONDS + 0.01)


def test_nobody_waits_for_ever(clock: time_machine.Traveller) -> None:
    full = server(clock, threads=1)
    arrival(full, seconds=100)
    assert arrival(full) == 100 - LONGEST_WAIT_SECONDS


def test_failed_request_gives_its_thread_back(clock: time_machine.Traveller) -> None:
    full = server(clock, threads=1)
    arrival(full, seconds=1, fails=True)
    clock.shift(10)
    assert arrival(full) == 11
