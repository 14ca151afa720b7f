"""A server that is killed in the middle of its work starts again and has kept its word."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
import pytest

from crm.embedded_postgres.server import urls
from tests.database import PROJECT_DIR
from tests.live.calls import bearer, login
from tests.live.server import LiveServer, live_server
from tests.processes import descendants_of, is_alive, wait_for

pytestmark = pytest.mark.live
WRITERS = 8
SEAL_WITHOUT_END = """
from security.audit.sealer import seal_all
while True:
    seal_all()
"""
SEALED = "SELECT count(*) FROM security_auditlink"
ENTRIES_OF = """
    SELECT count(*), count(DISTINCT e.resource_id), count(l.entry_id)
      FROM security_auditentry e LEFT JOIN security_auditlink l ON l.entry_id = e.id
     WHERE e.resource_type = 'clients' AND e.action = 'create' AND e.resource_id = ANY(%s::uuid[])
"""


@dataclass
class Killed:
    """A server that was killed under load and started again, and what it had answered before."""

    server: LiveServer
    headers: dict[str, str]
    kept: list[str] = field(default_factory=list)

    def row(self, statement: str, *parameters: object) -> tuple[int, ...]:
        """Return the row that a statement finds among all teams' rows."""
        address = urls(self.server.data_dir).owner
        with psycopg.connect(address, options="-c app.all_teams=on") as connection:
            found = connection.execute(statement.encode(), parameters).fetchone()
        assert found is not None
        return tuple(found)

    def create_until_killed(self) -> None:
        """Create clients one after the other and note the ids that were answered."""
        try:
            while True:
                body = {"firstName": "Kept"}
                answer = self.server.call("POST", "/v1/clients", body, **self.headers)
                self.kept.append(answer.data["id"])
        except (OSError, ValueError):
            return  # The server is gone, perhaps in the middle of an answer.


@pytest.fixture(scope="module")
def killed() -> Iterator[Killed]:
    """Kill the server, its database and the sealer while eight clients write."""
    with live_server() as server:
        admin = server.person("admin")
        headers = bearer(server.answer(login(admin)).data["accessToken"])
        state = Killed(server, headers)
        sealer = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", SEAL_WITHOUT_END],
            cwd=PROJECT_DIR,
            env=server.environment,
            stderr=subprocess.DEVNULL,
        )
        threads = [threading.Thread(target=state.create_until_killed) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            assert wait_for(lambda: len(state.kept) > 50)
            before = state.row(SEALED)[0]
            assert wait_for(lambda: state.row(SEALED)[0] > before)
            assert sealer.poll() is None
        finally:
            kill_everything(server, sealer)
        for thread in threads:
            thread.join()
        server.start()
        yield state


def test_killed_server_starts_again_with_all_it_answered(killed: Killed) -> None:
    server, headers = killed.server, killed.headers
    assert server.call("GET", "/v1/health/ready").status == 200
    assert server.call("GET", "/v1/auth/me", **headers).status == 200
    answers = [server.call("GET", f"/v1/clients/{pk}", **headers).status for pk in killed.kept]
    assert set(answers) == {200}


def test_every_write_that_was_answered_is_in_the_audit_trail_and_the_chain_is_whole(
    killed: Killed,
) -> None:
    count = len(killed.kept)
    entries, records, _ = killed.row(ENTRIES_OF, killed.kept)
    assert (entries, records) == (count, count)
    # A command that does not exit with 0 fails here; the sealer refuses a chain without its end.
    killed.server.command("seal_audit")
    killed.server.command("verify_audit")
    assert killed.row(ENTRIES_OF, killed.kept) == (count, count, count)


def kill_everything(server: LiveServer, *others: subprocess.Popen[bytes]) -> None:
    """Kill the server, its workers, PostgreSQL and others, as a power cut does."""
    assert server.process is not None
    pids = [server.process.pid, *descendants_of(server.process.pid)]
    pids += [process.pid for process in others]
    for pid in pids:
        with suppress(ProcessLookupError):  # It ended with the one before it.
            os.kill(pid, signal.SIGKILL)
    for process in (server.process, *others):
        process.wait()
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids))
