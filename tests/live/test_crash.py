"""A server that is killed in the middle of its work starts again and has kept its word."""

import os
import signal
import threading

import pytest

from tests.live.calls import bearer, login
from tests.live.server import LiveServer, live_server
from tests.processes import descendants_of, is_alive, wait_for

pytestmark = pytest.mark.live


def create_until_killed(server: LiveServer, headers: dict[str, str], kept: list[str]) -> None:
    """Create clients one after the other and note the ids that were answered."""
    try:
        while True:
            answer = server.call("POST", "/v1/clients", {"firstName": "Kept"}, **headers)
            kept.append(answer.data["id"])
    except (OSError, ValueError):
        return  # The server is gone, perhaps in the middle of an answer.


def test_killed_server_starts_again_with_all_it_answered() -> None:
    with live_server() as server:
        admin = server.person("admin")
        headers = bearer(server.answer(login(admin)).data["accessToken"])
        kept: list[str] = []
        threads = [
            threading.Thread(target=create_until_killed, args=(server, headers, kept))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        assert wait_for(lambda: len(kept) > 50)
        kill_everything(server)
        for thread in threads:
            thread.join()
        server.start()
        assert server.call("GET", "/v1/health/ready").status == 200
        assert server.call("GET", "/v1/auth/me", **headers).status == 200
        answers = [server.call("GET", f"/v1/clients/{pk}", **headers).status for pk in kept]
        assert set(answers) == {200}


def kill_everything(server: LiveServer) -> None:
    """Kill the server, its workers and PostgreSQL, as a power cut does."""
    assert server.process is not None
    pids = [server.process.pid, *descendants_of(server.process.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    server.process.wait()
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids))
