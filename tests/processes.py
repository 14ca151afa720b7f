"""What tests need to know about processes of the machine (Linux)."""

import time
from collections.abc import Callable
from pathlib import Path

PROCESSES = Path("/proc")


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Return True as soon as the condition holds, False when time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that ended and waits to be collected does not."""
    return state_of(pid) not in ("", "Z", "X")


def state_of(pid: int) -> str:
    """Return the letter of the process's state, nothing when there is no such process."""
    return _fields(pid)[0]


def descendants_of(pid: int) -> list[int]:
    """Return the children of the process and theirs."""
    parents = {int(entry.name): _fields(int(entry.name))[1] for entry in _entries()}
    found = [pid]
    for candidate in found:  # Grows while it is read: the children of children follow.
        found += [child for child, parent in parents.items() if parent == str(candidate)]
    return found[1:]


def pids_with_argument(part: str) -> list[int]:
    """Return the processes with `part` in their command line."""
    return [int(entry.name) for entry in _entries() if part.encode() in _command_line(entry)]


def _entries() -> list[Path]:
    return [entry for entry in PROCESSES.iterdir() if entry.name.isdigit()]


def _command_line(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def _fields(pid: int) -> list[str]:
    """Return state and parent; the name before them may hold blanks and brackets."""
    try:
        text = (PROCESSES / str(pid) / "stat").read_text()
    except OSError:
        return ["", ""]
    return text.rpartition(")")[2].split()[:2]
