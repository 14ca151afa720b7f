"""A real Redis for tests: started by the fixture, on a socket of its own, without persistence."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

START_SECONDS = 10.0


class RedisServer:
    """One `redis-server` process."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary = binary
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The value of REDIS_URL."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start it with no data, and wait until it answers; does nothing when it runs."""
        if self._process is not None:
            return
        command = [self._binary, "--port", "0", "--unixsocket", os.fspath(self._socket)]
        command += ["--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url) as client:
            while not _answers(client):
                assert time.monotonic() < deadline, "redis-server did not start"
                time.sleep(0.02)

    def stop(self) -> None:
        """End it; its data are gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it hang: connections are taken, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@pytest.fixture(scope="session")
def redis_server_of_run() -> Iterator[RedisServer]:
    """The Redis of this run. Without the binary the test is skipped, or fails in CI."""
    binary = shutil.which("redis-server")
    if binary is None:
        reason = "redis-server is not installed: counting in Redis was NOT tested"
        if os.environ.get("CRM_REQUIRE_REDIS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    # A socket's path holds at most 107 bytes: pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="crm-redis-") as folder:
        server = RedisServer(binary, Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def redis_server(redis_server_of_run: RedisServer) -> RedisServer:
    """A Redis that runs and holds nothing."""
    redis_server_of_run.start()
    with redis.Redis.from_url(redis_server_of_run.url) as client:
        client.flushdb()
    return redis_server_of_run


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
