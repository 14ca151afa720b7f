"""Mail on the running system: the worker that `make run` starts sends it, also after a crash."""

import email
import os
import signal
from email.policy import default
from pathlib import Path

import pytest

from tests.live.calls import login, refresh
from tests.live.server import LiveServer
from tests.processes import descendants_of, pids_with_argument, wait_for

pytestmark = pytest.mark.live


def mails_to(server: LiveServer, address: str) -> list[str]:
    """Return the subjects of the mails that lie in the outbox."""
    messages = [
        email.message_from_bytes(path.read_bytes(), policy=default)
        for path in sorted((server.data_dir / "outbox").glob("*.eml"))
    ]
    return [message["Subject"] for message in messages if message["To"] == address]


def worker_of(server: LiveServer) -> int:
    """Return the process that runs the jobs."""
    assert server.process is not None
    (pid,) = set(descendants_of(server.process.pid)) & set(pids_with_argument("--with-parent"))
    return pid


def test_theft_is_mailed_although_the_worker_was_killed(server: LiveServer) -> None:
    person = server.person("admin", "Summit Homes")
    cookie = server.answer(login(person)).cookie
    assert server.answer(refresh(cookie)).status == 200
    os.kill(worker_of(server), signal.SIGKILL)
    assert server.answer(refresh(cookie)).status == 401
    subject = "You were signed out everywhere"
    assert wait_for(lambda: subject in mails_to(server, person.email))
    assert mails_to(server, person.email).count(subject) == 1
    (first, *_) = Path(server.data_dir, "outbox").glob("*.eml")
    assert first.stat().st_mode & 0o077 == 0
