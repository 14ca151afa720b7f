"""Processes of a server whose keeper was killed."""

import os
import signal
import time
from pathlib import Path

PROCESSES = Path("/proc")
STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))


def end_orphans(data: Path) -> None:
    """End what still runs on the data directory `data`, then remove its stale pid file.

    Call only as the holder of the keeper's lock. Without /proc (macOS) PostgreSQL itself refuses a
    directory in use.
    """
    if not PROCESSES.is_dir():
        return
    for step, seconds in STEPS:
        deadline = time.monotonic() + seconds
        first = True
        while (pids := _processes_of(data)) and time.monotonic() < deadline:
            if first:
                _send(pids, step)
            first = False
            time.sleep(0.05)
        if not pids:
            break
    # After a restart of the machine or container the noted number may belong to a process that has
    # nothing to do with this, and PostgreSQL would refuse to start.
    (data / "postmaster.pid").unlink(missing_ok=True)


def _processes_of(data: Path) -> list[int]:
    """Return the processes that work in `data`: every process of PostgreSQL does."""
    return [
        int(entry.name)
        for entry in PROCESSES.iterdir()
        if entry.name.isdigit() and _works_in(entry, data)
    ]


def _works_in(process: Path, data: Path) -> bool:
    try:
        return (process / "cwd").readlink() == data and (
            process / "exe"
        ).readlink().name == "postgres"
    except OSError:  # Ended meanwhile, or another user's.
        return False


def _send(pids: list[int], what: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            continue
