"""`make run` as a process: it serves, and however it ends nothing of it stays behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest

from crm.embedded_postgres.server import is_up
from tests.processes import descendants_of, is_alive, wait_for

PROJECT_DIR = Path(__file__).resolve().parents[1]
START_SECONDS = 60

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Running(NamedTuple):
    """A started `make run`: the process that make becomes, its port, and what it printed."""

    process: "subprocess.Popen[bytes]"
    port: int
    output: Path

    def get(self, path: str) -> int:
        """Return the status of a call, 0 when nobody answers."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except OSError:
                return 0

    def is_healthy(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return self.get("/v1/health") == 200


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """One data directory for all starts: the first one migrates and seeds."""
    folder = Path(tempfile.mkdtemp(prefix="crm-run-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start(data_dir: Path, tmp_path: Path) -> Iterator[Callable[[], Running]]:
    """Start the server on a free port and wait until it answers."""
    started: list[Running] = []

    def start_and_wait() -> Running:
        port, output = free_port(), tmp_path / "output"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "crm.serving.run"],
                cwd=PROJECT_DIR,
                env=environment(data_dir, port),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(process, port, output)
        started.append(running)
        assert wait_for(running.is_healthy, START_SECONDS), output.read_text()
        return running

    yield start_and_wait
    for running in started:
        running.process.kill()
        running.process.wait()
    # The database ends a moment later, and its folder must not be deleted meanwhile.
    assert wait_for(lambda: not is_up(data_dir))


def environment(data_dir: Path, port: int) -> dict[str, str]:
    """Return the environment of a newcomer: development, the embedded database."""
    cleared = dict.fromkeys(("DATABASE_URL", "DATABASE_OWNER_URL", "SECRET_KEY", "JWT_KEYS"), "")
    own = {"DEBUG": "true", "DATA_DIR": os.fspath(data_dir), "PORT": str(port)}
    return {**os.environ, **cleared, "ALLOWED_HOSTS": "", **own}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def all_gone(pids: list[int]) -> Callable[[], bool]:
    return lambda: not any(is_alive(pid) for pid in pids)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_the_server_and_its_database(
    start: Callable[[], Running], how: signal.Signals
) -> None:
    running = start()
    children = descendants_of(running.process.pid)
    # A terminal sends its signals to the whole group.
    (os.killpg if how == signal.SIGINT else os.kill)(running.process.pid, how)
    running.process.wait(20)
    assert len(children) > 3
    assert wait_for(all_gone(children), 2)


def test_killed_server_takes_everything_along_and_starts_again(
    start: Callable[[], Running],
) -> None:
    running = start()
    children = descendants_of(running.process.pid)
    running.process.kill()
    assert wait_for(all_gone(children))
    assert start().is_healthy()


def test_lost_database_ends_the_server(start: Callable[[], Running]) -> None:
    running = start()
    keeper = next(pid for pid in descendants_of(running.process.pid) if "keeper" in name_of(pid))
    os.kill(keeper, signal.SIGKILL)
    assert running.process.wait(20) == 1
    assert "The database has ended" in running.output.read_text()


def test_output_names_addresses_and_sign_ins(start: Callable[[], Running]) -> None:
    running = start()
    output = running.output.read_text()
    assert f"http://127.0.0.1:{running.port}/v1/docs" in output
    assert "Harbor Realty, admin" in output
    assert "Summit Homes, API key" in output


def test_access_log_is_one_line_without_query_string(start: Callable[[], Running]) -> None:
    running = start()
    assert running.get("/v1/absent%0aforged?token=secret") == 404
    assert wait_for(lambda: r"/v1/absent\nforged" in running.output.read_text(), 5)
    assert "token=secret" not in running.output.read_text()


def test_occupied_port_is_one_clear_line(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        result = subprocess.run(
            [sys.executable, "-m", "crm.serving.run"],
            cwd=PROJECT_DIR,
            env=environment(data_dir, occupied.getsockname()[1]),
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "Set PORT" in result.stderr


def test_command_beside_the_server_uses_its_database(
    start: Callable[[], Running], data_dir: Path
) -> None:
    running = start()
    result = subprocess.run(
        [sys.executable, "manage.py", "seed_demo", "--json"],
        cwd=PROJECT_DIR,
        env=environment(data_dir, running.port),
        capture_output=True,
        text=True,
        check=False,
    )
    assert [team["name"] for team in json.loads(result.stdout)["teams"]] == [
        "Harbor Realty",
        "Summit Homes",
    ]
    assert running.is_healthy()


def name_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()
