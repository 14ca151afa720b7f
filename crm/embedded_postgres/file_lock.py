"""Locks between processes. The kernel drops them with their holder, whichever way it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait until nobody else holds `path`, then hold it."""
    handle = _open(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def try_exclusive(path: Path) -> int | None:
    """Return a handle that holds `path` alone until it is closed; None when somebody holds it."""
    return _try(path, fcntl.LOCK_EX)


def try_shared(path: Path) -> int | None:
    """Return a handle that holds `path` together with others, None when somebody holds it alone."""
    return _try(path, fcntl.LOCK_SH)


def is_held(path: Path) -> bool:
    """Tell whether any process holds `path`."""
    return _is_refused(path, fcntl.LOCK_EX)


def is_held_alone(path: Path) -> bool:
    """Tell whether a process holds `path` that lets no others join."""
    return _is_refused(path, fcntl.LOCK_SH)


def _is_refused(path: Path, kind: int) -> bool:
    handle = _try(path, kind)
    if handle is None:
        return True
    os.close(handle)
    return False


def _try(path: Path, kind: int) -> int | None:
    handle = _open(path)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
