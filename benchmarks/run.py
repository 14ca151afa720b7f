"""`make bench`: the real calls through the whole WSGI stack against the limit, in one process."""

import importlib
import json
import os
import platform
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crm.embedded_postgres.server import running

ROUNDS = 400
DEPTH = 3_900
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure on a database made for this run."""
    with own_database():
        measure = importlib.import_module("benchmarks.measure")
        report = measure.run(rounds=ROUNDS, depth=DEPTH)
    show(report)
    save(report)


@contextmanager
def own_database() -> Iterator[None]:
    """Have a new database up inside the block, and the environment of a production process.

    The project reads its environment when it is imported: that has to wait for the block.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Under root, PostgreSQL's own account passes through, and its data go with the folder.
        Path(folder).chmod(0o711)
        (Path(folder) / "static").mkdir()  # WhiteNoise warns when it is not there.
        os.environ |= environment(folder)
        with running(Path(folder)):
            yield


def environment(folder: str) -> dict[str, str]:
    """Return the environment of a production process; limits count, but do not refuse."""
    return {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "DATA_DIR": folder,
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_KEYS": f"bench:{secrets.token_urlsafe(48)}",
        "ALLOWED_HOSTS": "localhost",
        "COOKIE_SECURE": "false",
        **dict.fromkeys(
            ("RATE_LIMIT_API", "RATE_LIMIT_SESSION", "RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_REFRESH"),
            "100000000/1m",
        ),
        **dict.fromkeys(
            ("RATE_LIMIT_LOGIN", "RATE_LIMIT_LOGIN_CALLS", "RATE_LIMIT_REGISTER"), "100000000/15m"
        ),
        "ALLOW_REGISTRATION": "true",
    }


def show(report: dict[str, Any]) -> None:
    """Print the table."""
    print(f"{'call':<34}{'req/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'SQL':>5}{'ratio':>8}")
    for row in report["calls"]:
        statements = "" if row["statements"] is None else row["statements"]
        print(
            f"{row['name']:<34}{row['requests_per_second']:>9.0f}{row['p50_ms']:>9.2f}"
            f"{row['p95_ms']:>9.2f}{statements:>5}{row['ratio_to_limit']:>8.2f}"
        )
    for name, value in report["ratios"].items():
        print(f"{name}: {value}")
    print(f"\n{'call, audit trigger on and off':<34}{'on ms':>9}{'off ms':>9}{'ratio':>8}")
    for row in report["audit"]:
        print(f"{row['name']:<34}{row['on_ms']:>9.2f}{row['off_ms']:>9.2f}{row['ratio']:>8.3f}")


def save(report: dict[str, Any], suffix: str = "") -> None:
    """Write the JSON, named by its day."""
    RESULTS.mkdir(exist_ok=True)
    report["machine"] = {"python": platform.python_version(), "cpus": os.cpu_count()}
    path = RESULTS / f"{time.strftime('%Y-%m-%d')}{suffix}.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
