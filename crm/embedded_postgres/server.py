"""PostgreSQL without an installation: a server of our own in DATA_DIR, up while somebody uses it.

Every process that uses the server holds a shared lock. A keeper process starts PostgreSQL
(crm.embedded_postgres.keeper) and stops it when nobody holds that lock any more, whichever way the
last user ended.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psycopg

from crm.embedded_postgres.cluster import remove_cluster
from crm.embedded_postgres.data_dir import create_data_dir
from crm.embedded_postgres.file_lock import exclusive, is_held, is_held_alone, try_shared
from crm.embedded_postgres.secrets_file import FILE_NAME as SECRETS_NAME
from crm.embedded_postgres.secrets_file import development_secrets

APP_ROLE = "crm_app"
OWNER_ROLE = "crm_owner"
DATABASE = "crm"
PORT = 5432  # Only a part of the socket's name: the server listens on no network.
LOG_NAME = "postgres.log"
READY = "ready"
THROW_AWAY_OPTION = "--throw-away"
POLL_SECONDS = 0.02
STOP_SECONDS = 60
JOIN_SECONDS = 60
PROJECT_DIR = Path(__file__).resolve().parents[2]

Keeper = subprocess.Popen[bytes]


class DatabaseUrls(NamedTuple):
    """How to connect: as the role that serves, and as the role that owns the tables."""

    app: str
    owner: str


class LockPaths(NamedTuple):
    """`start`: held while joining; `users`: shared by users; `keeper`: the keeper, all its life."""

    start: Path
    users: Path
    keeper: Path


class DatabaseStartError(RuntimeError):
    """The embedded server did not start; the message says why in one line."""


def urls(data_dir: Path) -> DatabaseUrls:
    """Return the addresses of the database in `data_dir`, whether or not the server is up."""
    secrets = development_secrets(data_dir)
    location = f"/{DATABASE}?host={quote(os.fspath(socket_folder(data_dir)), safe='')}&port={PORT}"
    return DatabaseUrls(
        app=f"postgresql://{APP_ROLE}:{secrets['POSTGRES_APP_PASSWORD']}@{location}",
        owner=f"postgresql://{OWNER_ROLE}:{secrets['POSTGRES_OWNER_PASSWORD']}@{location}",
    )


def is_embedded(url: str, data_dir: Path) -> bool:
    """Tell whether `url` names the embedded database of `data_dir`. Creates nothing."""
    return (data_dir / SECRETS_NAME).exists() and url in urls(data_dir)


def socket_folder(data_dir: Path) -> Path:
    """Return the folder of the server's socket.

    Not in DATA_DIR, because a socket's path may have 107 bytes only; not in TMPDIR, which differs
    between two shells. SECURITY: the name holds a digest of a secret, so that no other user of the
    machine can create the folder first.
    """
    secret = development_secrets(data_dir)["POSTGRES_SUPERUSER_PASSWORD"]
    digest = hashlib.sha256(f"{data_dir.resolve()}\0{secret}".encode()).hexdigest()
    return Path("/tmp") / f"crm-postgres-{digest[:24]}"  # noqa: S108  The line above says why this is safe.


def lock_paths(data_dir: Path) -> LockPaths:
    """Return the lock files of `data_dir`."""
    return LockPaths(*(data_dir / f".postgres-{name}.lock" for name in LockPaths._fields))


@contextmanager
def running(data_dir: Path, *, throw_away: bool = False) -> Iterator[DatabaseUrls]:
    """Have the server up inside the block. At the end it is stopped unless another process uses it.

    `throw_away` is for tests: fast, not safe against power cuts, and a database that this call
    created is deleted when its last user ends. Raises DatabaseStartError.
    """
    data_dir = data_dir.resolve()
    create_data_dir(data_dir)
    addresses = urls(data_dir)
    paths = lock_paths(data_dir)
    with exclusive(paths.start):
        usage, keeper = _join(data_dir, paths, throw_away=throw_away)
    try:
        yield addresses
    finally:
        os.close(usage)
        _wait_until_stopped(paths)
        if keeper is not None and not is_held_alone(paths.keeper):
            keeper.wait()


def is_up(data_dir: Path) -> bool:
    """Tell whether a keeper has the server up."""
    return is_held_alone(lock_paths(data_dir).keeper)


def remove(data_dir: Path) -> None:
    """Delete the database of `data_dir`. Raises RuntimeError when somebody uses it."""
    if is_up(data_dir):
        raise RuntimeError(f"The database in {data_dir} is in use.")
    remove_cluster(data_dir)


def _join(data_dir: Path, paths: LockPaths, *, throw_away: bool) -> tuple[int, Keeper | None]:
    """Return a handle on the shared lock, with the keeper when this process had to start it."""
    while (usage := try_shared(paths.users)) is None:
        time.sleep(POLL_SECONDS)  # The keeper is stopping the server for lack of users.
    deadline = time.monotonic() + JOIN_SECONDS
    while is_held_alone(paths.keeper):
        if _answers(data_dir):
            return usage, None
        # The keeper was killed this moment, or still starts what a killed process asked for.
        if time.monotonic() > deadline:
            os.close(usage)
            raise DatabaseStartError(f"The database is up but does not answer; see {data_dir}.")
        time.sleep(POLL_SECONDS)
    try:
        return usage, _start_keeper(data_dir, throw_away=throw_away)
    except BaseException:
        os.close(usage)
        raise


def _answers(data_dir: Path) -> bool:
    try:
        psycopg.connect(urls(data_dir).app, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _start_keeper(data_dir: Path, *, throw_away: bool) -> Keeper:
    options = [THROW_AWAY_OPTION] if throw_away else []
    read_end, write_end = os.pipe()
    keeper = subprocess.Popen(
        [sys.executable, "-m", "crm.embedded_postgres.keeper", os.fspath(data_dir), *options],
        cwd=PROJECT_DIR,
        stdin=subprocess.DEVNULL,
        stdout=write_end,
        start_new_session=True,  # A terminal's Ctrl-C must not end the database before its users.
    )
    os.close(write_end)
    with os.fdopen(read_end) as output:
        answer = output.readline().strip()
    if answer != READY:
        keeper.wait()
        raise DatabaseStartError(
            answer or f"The embedded PostgreSQL did not start; see {data_dir / LOG_NAME}."
        )
    return keeper


def _wait_until_stopped(paths: LockPaths) -> None:
    """Wait for the keeper to stop the server, unless it stays up for another user."""
    deadline = time.monotonic() + STOP_SECONDS
    while is_held_alone(paths.keeper) and time.monotonic() < deadline:
        if is_held(paths.users) and not is_held_alone(paths.users):
            return
        time.sleep(POLL_SECONDS)
