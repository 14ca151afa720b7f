"""The system as `make run` starts it, on a data directory and a port of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from crm.embedded_postgres.server import urls
from tests.database import PROJECT_DIR, declared_names
from tests.live.calls import Answer, Call, Credentials, send
from tests.processes import wait_for
from tests.test_make_run import free_port

START_SECONDS = 60
STOP_SECONDS = 20
# The limits have tests of their own; here they would only count the racers.
LIMITS_OFF = (
    "ANONYMOUS",
    "API",
    "SESSION",
    "LOGIN",
    "LOGIN_CALLS",
    "REFRESH",
    "REGISTER",
    "MAILS",
    "MAILS_TO",
    "TOKENS",
)


@dataclass
class LiveServer:
    """One `make run`; several may share a data directory, and with it the database."""

    data_dir: Path
    port: int = field(default_factory=lambda: free_port())
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log = self.data_dir / f"server-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a newcomer, who sets nothing but the port and the folder.

        Behind a proxy: X-Forwarded-For says where a call comes from, this machine when left out.
        """
        cleared = dict.fromkeys(declared_names(), "")
        limits = {f"RATE_LIMIT_{name}": "0" for name in LIMITS_OFF}
        database = {"DATABASE_URL": "", "DATABASE_OWNER_URL": "", "REDIS_URL": ""}
        secrets = {"SECRET_KEY": "", "JWT_KEYS": "", "ALLOWED_HOSTS": ""}
        own = {"DEBUG": "true", "DATA_DIR": os.fspath(self.data_dir), "PORT": str(self.port)}
        own["TRUSTED_PROXIES"] = "127.0.0.1"
        return {**os.environ, **cleared, **limits, **database, **secrets, **own, **self.settings}

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "crm.serving.run"],
                cwd=PROJECT_DIR,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert wait_for(self.is_healthy, START_SECONDS), self.log.read_text()

    def is_healthy(self) -> bool:
        """Tell whether the server answers."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.call("GET", "/v1/health").status == 200
        except OSError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(STOP_SECONDS)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send one call and return its answer."""
        return self.answer(Call(method, path, body, headers))

    def answer(self, call: Call) -> Answer:
        """Send one call alone and return its answer."""
        return send([(self.port, call)])[0]

    def command(self, *arguments: str) -> str:
        """Run a management command beside the server and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def person(self, role: str, team: str = "Harbor Realty") -> Credentials:
        """Return the sign-in of a demo team's member, as the server printed it."""
        printed = re.search(rf"{team}, {role}\s+(\S+)\s+(\S+)\n", self.log.read_text())
        assert printed is not None
        return Credentials(printed[1], printed[2])

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement as the owner of the tables."""
        with psycopg.connect(urls(self.data_dir).owner, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def live_server() -> Iterator[LiveServer]:
    """Have a server up on a data directory of its own, which is deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="crm-live-"))
    # Run by root, the database has an account of its own, which must reach its folder.
    folder.chmod(0o711)
    server = LiveServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
