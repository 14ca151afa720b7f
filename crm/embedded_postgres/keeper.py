"""The process that starts the embedded PostgreSQL and stops it when nobody uses it any more.

Run by crm.embedded_postgres.server as `python -m crm.embedded_postgres.keeper DATA_DIR`, with
`--throw-away` for a database that goes with it. Prints one line: `ready`, or what failed.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import psycopg
from psycopg import sql

from crm.child_process import die_with_parent
from crm.embedded_postgres.cluster import Cluster, open_cluster, server_environment
from crm.embedded_postgres.file_lock import try_exclusive
from crm.embedded_postgres.orphans import end_orphans
from crm.embedded_postgres.secrets_file import development_secrets
from crm.embedded_postgres.server import (
    APP_ROLE,
    DATABASE,
    LOG_NAME,
    OWNER_ROLE,
    PORT,
    PROJECT_DIR,
    READY,
    THROW_AWAY_OPTION,
    lock_paths,
    socket_folder,
)
from crm.embedded_postgres.server_account import ServerAccount

SUPERUSER = "postgres"
START_SECONDS = 300  # Recovery after a crash may have a gigabyte of log to read.
STOP_SECONDS = 30
POLL_SECONDS = 0.05
HOLD_ATTEMPTS = 20
LOG_LIMIT_BYTES = 10_000_000


class Keeper:
    """Runs one server for as long as the lock `users` is held by anybody."""

    def __init__(self, data_dir: Path, *, throw_away: bool) -> None:
        self.data_dir = data_dir
        self.throw_away = throw_away
        self.sockets = socket_folder(data_dir)
        self.stop_asked = False

    def run(self) -> int:
        """Start, report, wait, stop. Return the exit status."""
        signal.signal(signal.SIGTERM, self.ask_to_stop)
        cluster = open_cluster(self.data_dir)
        end_orphans(cluster.data)
        password = development_secrets(self.data_dir)["POSTGRES_SUPERUSER_PASSWORD"]
        is_new = cluster.initialise(SUPERUSER, password, durable=not self.throw_away)
        make_socket_folder(self.sockets, cluster.account)
        server = self.start(cluster)
        try:
            self.wait_until_ready(cluster, server)
            self.prepare_database()
            report(READY)
            self.wait_for_the_last_user(server)
        finally:
            self.stop(server)
            if self.throw_away and is_new:
                # Not looked up again: the data directory may be gone by now.
                shutil.rmtree(cluster.folder)
        return 0

    def ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Note a SIGTERM, such as the one of a machine that shuts down."""
        self.stop_asked = True

    def start(self, cluster: Cluster) -> subprocess.Popen[bytes]:
        """Start the server in the foreground of this process."""
        log = self.data_dir / LOG_NAME
        too_long = log.exists() and log.stat().st_size > LOG_LIMIT_BYTES
        log_handle = os.open(
            log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if too_long else 0), 0o600
        )
        try:
            return subprocess.Popen(
                cluster.start_command(self.sockets, PORT, durable=not self.throw_away),
                cwd="/",
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log_handle,
                stderr=log_handle,
                user=cluster.account.user,
                group=cluster.account.group,
                extra_groups=cluster.account.extra_groups,
                # SIGINT is PostgreSQL's fast and clean shutdown.
                preexec_fn=die_with_parent(signal.SIGINT),
            )
        finally:
            os.close(log_handle)

    def wait_until_ready(self, cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
        """Return when the server takes connections. Raises RuntimeError when it ended instead."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not self.stop_asked:
            if server.poll() is not None:
                lines = (
                    (self.data_dir / LOG_NAME)
                    .read_text(encoding="utf-8", errors="replace")
                    .splitlines()
                )
                raise RuntimeError(
                    f"The embedded PostgreSQL ended at its start: {lines[-1] if lines else '?'}"
                )
            if is_ready(cluster.data / "postmaster.pid", server.pid):
                return
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"The embedded PostgreSQL is not ready; see {self.data_dir / LOG_NAME}.")

    def prepare_database(self) -> None:
        """Create roles and database where they are missing; set passwords and rights."""
        secrets = development_secrets(self.data_dir)
        with self.connect("postgres") as connection:
            connection.execute((PROJECT_DIR / "deploy" / "roles.sql").read_bytes())
            set_password(connection, APP_ROLE, secrets["POSTGRES_APP_PASSWORD"])
            set_password(connection, OWNER_ROLE, secrets["POSTGRES_OWNER_PASSWORD"])
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone():
                statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(
                    statement.format(sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE))
                )
        with self.connect(DATABASE) as connection:
            connection.execute((PROJECT_DIR / "deploy" / "database.sql").read_bytes())

    def connect(self, database: str) -> psycopg.Connection:
        """Connect as the superuser."""
        return psycopg.connect(
            host=os.fspath(self.sockets),
            port=PORT,
            user=SUPERUSER,
            password=development_secrets(self.data_dir)["POSTGRES_SUPERUSER_PASSWORD"],
            dbname=database,
            autocommit=True,
        )

    def wait_for_the_last_user(self, server: subprocess.Popen[bytes]) -> None:
        """Return holding the lock `users` alone: nobody joins a server that is being stopped."""
        users = lock_paths(self.data_dir).users
        while not self.stop_asked and server.poll() is None:
            if try_exclusive(users) is not None:  # Held until this process ends.
                return
            time.sleep(POLL_SECONDS)

    def stop(self, server: subprocess.Popen[bytes]) -> None:
        """Stop the server: fast and clean; when that takes too long, less so."""
        first = (
            signal.SIGQUIT if self.throw_away else signal.SIGINT
        )  # SIGQUIT skips the checkpoint.
        for stop_signal in (first, signal.SIGQUIT, signal.SIGKILL):
            server.send_signal(stop_signal)
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            break
        empty(self.sockets)
        self.sockets.rmdir()


def make_socket_folder(folder: Path, account: ServerAccount) -> None:
    """Create the folder of the socket for the server's account; refuse one of somebody else."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        status = folder.lstat()
        if folder.is_symlink() or status.st_uid != account.uid or status.st_mode & 0o077:
            raise RuntimeError(f"{folder} belongs to somebody else; remove it.") from None
        # A killed server's lock file names a process that may still stand there as a zombie.
        empty(folder)
    else:
        if os.geteuid() == 0:
            os.chown(folder, account.uid, account.gid)


def empty(folder: Path) -> None:
    """Remove the socket and its lock file."""
    for entry in folder.iterdir():
        entry.unlink()


def is_ready(pid_file: Path, pid: int) -> bool:
    """Read PostgreSQL's note on itself: the process in the first line, the state in the eighth."""
    try:
        lines = pid_file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    """Set the password of a role. Only its SCRAM verifier is sent."""
    verifier = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(verifier)))


def report(line: str) -> None:
    """Tell the starter, once; it may have ended meanwhile."""
    try:
        print(line.replace("\n", " "), flush=True)  # noqa: T201  The protocol of this process.
    except BrokenPipeError:
        return
    finally:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def hold(path: Path) -> bool:
    """Hold `path` until this process ends. Those who only look whether it is held do so shortly."""
    for _ in range(HOLD_ATTEMPTS):
        if try_exclusive(path) is not None:
            return True
        time.sleep(POLL_SECONDS)
    return False


def main(arguments: list[str]) -> int:
    """Run the keeper of one data directory."""
    data_dir = Path(arguments[0])
    if not hold(lock_paths(data_dir).keeper):
        report("Another process is starting the database.")
        return 1
    try:
        return Keeper(data_dir, throw_away=THROW_AWAY_OPTION in arguments).run()
    except (RuntimeError, OSError, psycopg.Error) as error:
        report(f"The embedded PostgreSQL cannot start: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
