"""`make run`: database, migrations, demo data, worker, web server; all end with this process."""

import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from types import FrameType
from typing import Any, NoReturn

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import Error as DatabaseError
from django.db import connections

from crm.child_process import tie_to_parent
from crm.embedded_postgres.server import DatabaseStartError, is_embedded, is_up, running
from crm.env import env
from crm.serving.web_server import WebServer, ensure_port_is_free
from crm.serving.worker_process import WorkerProcess

EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  Compared with, not listened on.
WATCH_SECONDS = 1.0
# With this option the end of the caller, such as make, ends the server.
WITH_PARENT = "--with-parent"
FAILURES = (DatabaseStartError, DatabaseError, CommandError, ImproperlyConfigured, OSError)


def main(arguments: list[str]) -> None:
    """Run until a signal; a failure ends with one line on stderr and status 1."""
    # Set explicitly: a shell starts background jobs with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stop_signal in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop_signal, stop)
    if WITH_PARENT in arguments:
        tie_to_parent(signal.SIGTERM, os.getppid())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    embedded = is_embedded(env.database_url, env.data_dir)
    try:
        ensure_port_is_free()
        with running(env.data_dir) if embedded else nullcontext():
            prepare_database()
            welcome(demo_data() if env.debug else None)
            serve(watch_database=embedded)
    except FAILURES as error:
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        sys.exit(130)


def stop(number: int, _frame: FrameType | None) -> NoReturn:
    """End in order: whatever this process started is stopped on the way out."""
    sys.exit(128 + number)


def prepare_database() -> None:
    """Bring the tables up to date."""
    django.setup()
    say("Preparing the database ...")
    call_command("migrate", interactive=False, verbosity=0)
    connections.close_all()


def demo_data() -> dict[str, Any]:
    """Load the demo data unless it is there, and return who may sign in."""
    say("Preparing the demo data ...")
    output = io.StringIO()
    call_command("seed_demo", json=True, stdout=output)
    connections.close_all()
    report: dict[str, Any] = json.loads(output.getvalue())
    return report


def welcome(demo: dict[str, Any] | None) -> None:
    """Print the addresses, and who may sign in."""
    host = "127.0.0.1" if env.host in EVERY_ADDRESS else env.host
    base = f"http://{host}:{env.port}"
    say(f"\n  API            {base}/v1\n  Documentation  {base}/v1/docs")
    say(f"  Admin          {base}/{env.admin_path}\n")
    if demo is not None:
        say("  Demo sign-ins (email, password):")
        for who, name, secret in demo_sign_ins(demo):
            say(f"    {who:32}{name:36}{secret}")
    say("\n  Ctrl-C stops everything.\n")


def demo_sign_ins(demo: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield who it is, the name to give and the secret, of everyone in seed_demo's report."""
    yield "admin pages", demo["superuser"]["email"], demo["superuser"]["password"]
    for team in demo["teams"]:
        for user in team["users"]:
            yield f"{team['name']}, {user['role']}", user["email"], user["password"]
        for key in team["api_keys"]:
            yield f"{team['name']}, API key", key["name"], key["key"]


def serve(*, watch_database: bool) -> None:
    """Serve until a signal or, when the embedded database went away, until that is noticed."""
    # Static files that were gathered lie there; WhiteNoise warns when there is no such folder.
    (env.data_dir / "static").mkdir(exist_ok=True)
    server = WebServer()
    lost = threading.Event()

    def watch() -> None:
        while is_up(env.data_dir):
            time.sleep(WATCH_SECONDS)
        lost.set()
        server.stop()

    if watch_database:
        threading.Thread(target=watch, daemon=True).start()
    worker = WorkerProcess()
    worker.start()
    try:
        server.serve_until_stopped()
    finally:
        worker.stop()
    if lost.is_set():
        raise DatabaseStartError(f"The database has ended; see {env.data_dir / 'postgres.log'}.")


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)  # noqa: T201  What `make run` promises to print.


if __name__ == "__main__":
    main(sys.argv[1:])
