"""A pytest plugin: gives the run an environment and a database of its own.

Loaded by `-p tests.database` in pytest.ini, before Django's settings are read. Unless DATABASE_URL
is set, a throw-away PostgreSQL is started; runs beside one another do not meet.
"""

import gc
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from crm.embedded_postgres.server import running

PROJECT_DIR = Path(__file__).resolve().parents[1]
# The only variables of the caller's that a test run listens to.
KEPT_VARIABLES = ("DATABASE_URL", "DATABASE_OWNER_URL")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Set the stage. A wrapper runs before pytest-django reads the settings."""
    resources = ExitStack()
    early_config.add_cleanup(resources.close)
    data_dir = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="crm-tests-")))
    (data_dir / "static").mkdir()  # WhiteNoise warns when it is not there.
    data_dir.chmod(0o711)  # Under root, PostgreSQL's own account has to pass through.
    os.environ.update(test_environment(data_dir))
    if not os.environ.get("DATABASE_URL") and not hands_tests_out(early_config):
        urls = resources.enter_context(running(data_dir, throw_away=True))
        os.environ.update(DATABASE_URL=urls.app, DATABASE_OWNER_URL=urls.owner)
    return (yield)


def hands_tests_out(config: pytest.Config) -> bool:
    """Tell whether this process runs no test itself but has workers (`-n`); each has a database."""
    has_workers = bool(getattr(config.known_args_namespace, "numprocesses", None))
    return has_workers and "PYTEST_XDIST_WORKER" not in os.environ


def pytest_configure(config: pytest.Config) -> None:
    """Register the fixtures after pytest-django's, whose place they take."""
    config.pluginmanager.import_plugin("tests.database_fixtures")  # It imports the settings.


def test_environment(data_dir: Path) -> dict[str, str]:
    """Return the environment of a run: production's behaviour, secrets of its own.

    Every other variable is set to nothing, so that neither the shell nor `.env` reaches a test.
    """
    cleared = dict.fromkeys(declared_names(), "")
    kept = {name: os.environ.get(name, "") for name in KEPT_VARIABLES}
    return {
        **cleared,
        **kept,
        "DATA_DIR": os.fspath(data_dir),
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_KEYS": f"test:{secrets.token_urlsafe(48)},old:{secrets.token_urlsafe(48)}",
        "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    }


test_environment.__test__ = False  # type: ignore[attr-defined]  # Not a test, whatever its name.


def declared_names() -> list[str]:
    """Return the names in `.env.example`, which a test holds equal to what the code reads."""
    path = PROJECT_DIR / ".env.example"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line.lstrip("# ").split("=")[0] for line in lines if "=" in line]


def pytest_collection_finish() -> None:
    """Take what stands by now out of the garbage collector's walks: it stays to the end."""
    gc.collect()
    gc.freeze()
