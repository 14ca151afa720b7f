"""A block bites in every process within seconds, ends by itself, and reads no body."""

import time

import pytest

from tests.live.calls import Answer, Call, read_answer
from tests.live.server import LiveServer
from tests.live.test_parked_bodies import parked
from tests.processes import wait_for

pytestmark = pytest.mark.live
SCANNER, VICTIM = "203.0.113.7", "198.51.100.9"
# What every process keeps.
BITES_WITHIN_SECONDS = 5


def call_from(address: str, server: LiveServer, path: str = "/v1/nothing") -> Answer:
    return server.call("GET", path, **{"X-Forwarded-For": address})


def is_blocked(server: LiveServer) -> bool:
    return call_from(SCANNER, server).code == "IP_NOT_ALLOWED"


def test_a_honeypot_blocks_its_sender_in_both_processes_for_a_time(
    server: LiveServer, second_server: LiveServer
) -> None:
    both = (server, second_server)
    written = {"X-Forwarded-For": f"{VICTIM}, {SCANNER}"}
    assert server.call("POST", "/v1/admin/backdoor", {}, **written).status == 404
    assert wait_for(lambda: all(map(is_blocked, both)), BITES_WITHIN_SECONDS)
    for process in both:
        assert call_from(VICTIM, process).status == 404
        assert call_from(SCANNER, process, "/v1/health").status == 200
    call = Call("POST", "/v1/auth/login", {}, {"X-Forwarded-For": SCANNER})
    with parked(server, call) as connection:
        assert read_answer(connection).code == "IP_NOT_ALLOWED", "before the body has come"

    server.sql("UPDATE security_ipblock SET blocked_until = now() + interval '4 seconds'")
    ends_at = time.time() + 4
    assert wait_for(lambda: not any(map(is_blocked, both)))
    assert time.time() > ends_at - 1, "the rest of its time was served"


def test_a_lifted_block_is_forgotten_by_both(server: LiveServer, second_server: LiveServer) -> None:
    both = (server, second_server)
    server.sql(
        "INSERT INTO security_ipblock (id, network, reason, blocked_by, created_at)"
        " VALUES (gen_random_uuid(), '203.0.113.0/24', '', 'psql', now())"
    )
    assert wait_for(lambda: all(map(is_blocked, both)), BITES_WITHIN_SECONDS)
    server.sql("DELETE FROM security_ipblock")
    assert wait_for(lambda: not any(map(is_blocked, both)), BITES_WITHIN_SECONDS)
