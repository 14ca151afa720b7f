"""The embedded PostgreSQL: who gets in, and that no ending of its users leaves it broken."""

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from crm.embedded_postgres import cluster
from crm.embedded_postgres import server as embedded
from crm.embedded_postgres.server import (
    DatabaseStartError,
    is_embedded,
    running,
    socket_folder,
    urls,
)
from crm.embedded_postgres.server_account import ServerAccount, server_account
from tests.processes import is_alive, pids_with_argument, wait_for

PROJECT_DIR = Path(__file__).resolve().parents[1]
USE_UNTIL_TOLD = """
import sys
from pathlib import Path
from crm.embedded_postgres.server import running
with running(Path(sys.argv[1])):
    print("up", flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
as_root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that everyone may pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="crm-embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def data_dir(open_folder: Path) -> Path:
    """A data directory whose cluster exists, with one table and row."""
    path = open_folder / "data"
    with running(path) as addresses:
        execute(addresses.owner, "CREATE TABLE note AS SELECT 'kept' AS text")
    return path


@pytest.fixture
def start_user(data_dir: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Start another process that uses the server until its input ends."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        process = start_process(data_dir)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield start
    for process in started:
        process.communicate()


def python_for_others(options: dict[str, object]) -> str:
    """Return an interpreter that another user can run this project with. Skips without one."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        command = [python, "-c", "import crm.embedded_postgres.server"]
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(command, cwd=PROJECT_DIR, env=import_path(), check=True, **options)  # type: ignore[call-overload]  # The options vary.
            return python
    pytest.skip("this checkout or its Python is closed to other users")


def import_path() -> dict[str, str]:
    """Return an environment in which the packages of this run can be imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def start_process(
    data_dir: Path, python: str = sys.executable, **options: object
) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # The options vary.
        [python, "-c", USE_UNTIL_TOLD, os.fspath(data_dir)],
        cwd=PROJECT_DIR,
        env=import_path(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def execute(url: str, statement: str) -> str | None:
    """Run a statement; return the first value of its answer."""
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return None if row is None else str(row[0])


def server_pids(data_dir: Path) -> list[int]:
    """Return the keeper and the server of the data directory."""
    return pids_with_argument(os.fspath(data_dir))


def is_down(data_dir: Path) -> bool:
    return not any(is_alive(pid) for pid in server_pids(data_dir))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_application_role_has_no_special_rights(data_dir: Path) -> None:
    with running(data_dir) as addresses:
        rights = execute(
            addresses.app,
            "SELECT rolname || rolsuper || rolbypassrls || rolcreatedb || rolcreaterole"
            " || has_schema_privilege('public', 'CREATE') || pg_has_role('crm_search', 'MEMBER')"
            " FROM pg_roles WHERE rolname = current_user",
        )
    assert rights == "crm_app" + "false" * 6


def test_owner_may_hand_functions_to_the_search_role_but_has_not_its_rights(data_dir: Path) -> None:
    with running(data_dir) as addresses:
        rights = execute(
            addresses.owner,
            "SELECT pg_has_role('crm_search', 'SET') || ' ' || pg_has_role('crm_search', 'USAGE')",
        )
    assert rights == "true false"


def test_server_has_no_network_and_a_private_socket(data_dir: Path) -> None:
    with running(data_dir) as addresses:
        assert execute(addresses.app, "SHOW listen_addresses") == ""
        assert mode_of(socket_folder(data_dir)) == 0o700


@pytest.mark.parametrize("role", ["postgres", "crm_owner", "crm_app"])
def test_nobody_gets_in_without_the_password(data_dir: Path, role: str) -> None:
    with running(data_dir):
        url = f"postgresql://{role}:wrong@/crm?host={socket_folder(data_dir)}"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url)


def test_server_stays_for_a_second_user_and_goes_with_the_last(
    data_dir: Path, start_user: Callable[[], "subprocess.Popen[str]"]
) -> None:
    first, second = start_user(), start_user()
    first.communicate()
    assert execute(urls(data_dir).app, "SELECT 1") == "1"
    second.communicate()
    assert is_down(data_dir)
    assert not socket_folder(data_dir).exists()


def test_server_ends_when_its_user_is_killed(
    data_dir: Path, start_user: Callable[[], "subprocess.Popen[str]"]
) -> None:
    start_user().kill()
    assert wait_for(lambda: is_down(data_dir))


def test_database_starts_again_after_everything_was_killed(
    data_dir: Path, start_user: Callable[[], "subprocess.Popen[str]"]
) -> None:
    user = start_user()
    for pid in [user.pid, *server_pids(data_dir)]:
        os.kill(pid, signal.SIGKILL)
    with running(data_dir) as addresses:
        assert execute(addresses.owner, "SELECT text FROM note") == "kept"


def test_pid_file_that_names_a_strange_process_is_no_obstacle(data_dir: Path) -> None:
    pid_file = data_dir / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n0\n5432\n\n\n\nready\n")
    with running(data_dir) as addresses:
        assert execute(addresses.owner, "SELECT text FROM note") == "kept"


def test_two_first_starts_at_once_share_one_server(open_folder: Path) -> None:
    path = open_folder / "two"
    both = [start_process(path), start_process(path)]
    answers = [process.stdout.readline() for process in both if process.stdout]
    keepers = [pid for pid in server_pids(path) if pid not in [process.pid for process in both]]
    for process in both:
        process.communicate()
    assert answers == ["up\n", "up\n"]
    assert len(keepers) == 2  # The keeper and its server.


def test_deleted_data_dir_means_a_new_database(tmp_path: Path) -> None:
    # pytest's folder is closed to others: started by root, the cluster lies under /var/lib.
    path = tmp_path / "data"
    with running(path) as addresses:
        execute(addresses.owner, "CREATE TABLE note AS SELECT 'old' AS text")
    embedded.remove(path)
    shutil.rmtree(path)
    with running(path, throw_away=True) as addresses:
        assert execute(addresses.owner, "SELECT to_regclass('note') IS NULL") == "True"


def test_folders_above_keep_their_modes(tmp_path: Path) -> None:
    path = tmp_path / "closed" / "data"
    path.parent.mkdir(mode=0o700)
    above = [path.parent, *tmp_path.parents, tmp_path]
    before = [mode_of(folder) for folder in above]
    with running(path, throw_away=True) as addresses:
        assert execute(addresses.app, "SELECT 1") == "1"
    assert [mode_of(folder) for folder in above] == before


@as_root_only
def test_root_keeps_the_cluster_elsewhere_when_the_folder_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with running(path, throw_away=True):
        folder = cluster.open_cluster(path).folder
        assert folder.parent == cluster.STATE_DIR
        assert folder.stat().st_uid != 0
    assert not folder.exists()


def test_copied_programs_make_a_cluster(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "STATE_DIR", open_folder / "state")
    monkeypatch.setattr(ServerAccount, "can_enter", lambda account, folder: False)
    account = server_account()
    binaries = cluster.reachable_binaries(account)
    folder = open_folder / "copied"
    folder.mkdir(mode=0o700)
    os.chown(folder, account.uid, account.gid)
    copied = cluster.Cluster(folder, binaries, account)
    assert copied.initialise("postgres", "secret", durable=False)
    assert (binaries.parent / "share" / "extension" / "pg_trgm.control").exists()
    assert (binaries.parent / "lib" / "pg_trgm.so").exists()


@as_root_only
def test_ordinary_user_keeps_everything_in_the_data_dir(open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    process = start_process(home / "data", python=python_for_others(options), **options)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    owners = {pid: Path(f"/proc/{pid}").stat().st_uid for pid in server_pids(home / "data")}
    process.communicate()
    assert set(owners.values()) == {nobody.pw_uid}
    assert (home / "data" / "postgres" / "data" / "PG_VERSION").exists()
    assert is_down(home / "data")


def test_throw_away_database_leaves_no_cluster(open_folder: Path) -> None:
    path = open_folder / "throw-away"
    with running(path, throw_away=True) as addresses:
        assert execute(addresses.app, "SHOW fsync") == "off"
    assert not (path / "postgres").exists()


def test_socket_folder_of_somebody_else_is_refused(open_folder: Path) -> None:
    path = open_folder / "foreign"
    urls(path)
    socket_folder(path).mkdir(mode=0o755)
    try:
        with pytest.raises(DatabaseStartError, match="belongs to somebody else"), running(path):
            pass
    finally:
        socket_folder(path).rmdir()


def test_address_of_another_server_is_not_embedded(tmp_path: Path) -> None:
    assert not is_embedded("postgresql://crm_app:x@db.example.com/crm", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_secrets_are_private(data_dir: Path) -> None:
    assert mode_of(data_dir / "secrets.json") == 0o600
    assert mode_of(data_dir / "postgres.log") == 0o600
