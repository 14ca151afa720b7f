"""A client that sends headers and keeps its body back gains nothing and stops nobody."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live.calls import Call, bearer, login, read_answer, refresh
from tests.live.server import LiveServer

pytestmark = pytest.mark.live
PARKED = 40


@contextmanager
def parked(server: LiveServer, call: Call) -> Iterator[socket.socket]:
    """Send a call but for the last byte of its body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(call.encode()[:-1])
        yield connection


def test_parked_refresh_is_theft_once_the_token_was_used(server: LiveServer) -> None:
    signed_in = server.answer(login(server.person("agent")))
    with parked(server, refresh(signed_in.cookie)) as thief:
        rotated = server.answer(refresh(signed_in.cookie))
        thief.sendall(b"}")
        assert read_answer(thief).code == "INVALID_REFRESH_TOKEN"
    assert server.answer(refresh(rotated.cookie)).status == 401


def test_parked_change_locks_no_record(server: LiveServer) -> None:
    headers = bearer(server.answer(login(server.person("admin"))).data["accessToken"])
    path = f"/v1/clients/{server.call('GET', '/v1/clients?limit=1', **headers).data[0]['id']}"
    with parked(server, Call("PATCH", path, {"notes": "parked"}, headers)):
        changed = server.call("PATCH", path, {"notes": "in time"}, **headers)
    assert changed.data["notes"] == "in time"


def test_parked_write_is_judged_when_it_is_complete(server: LiveServer) -> None:
    signed_in = server.answer(login(server.person("agent")))
    headers = bearer(signed_in.data["accessToken"])
    with parked(server, Call("POST", "/v1/clients", {"firstName": "Late"}, headers)) as late:
        assert server.call("POST", "/v1/auth/logout-all", **headers).status == 200
        late.sendall(b"}")
        assert read_answer(late).code == "SESSION_REVOKED"


def test_parked_bodies_do_not_stop_health(server: LiveServer) -> None:
    call = login(server.person("agent"))
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(PARKED)]
    try:
        for connection in connections:
            connection.sendall(call.encode()[:-1])
        assert server.call("GET", "/v1/health").status == 200
    finally:
        for connection in connections:
            connection.close()
