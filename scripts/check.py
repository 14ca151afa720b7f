"""`make check`: everything that is judged without running the tests."""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from crm.embedded_postgres.server import running

NOT_DONE = "NOT DONE"
PROJECT_DIR = Path(__file__).resolve().parents[1]
# What pip-audit says when it cannot reach the vulnerability service.
NETWORK_TROUBLE = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Max retries exceeded"
    r"|Could not connect|Failed to resolve|HTTPError: [45]\d\d|[45]\d\d (Client|Server) Error"
)

Result = tuple[bool, str]
Step = Callable[[Mapping[str, str]], Result]


def command(*arguments: str) -> Step:
    """Return a step that runs a module of this virtual environment."""

    def step(environment: Mapping[str, str]) -> Result:
        result = run(arguments, environment)
        return result.returncode == 0, result.stdout + result.stderr

    return step


def run(
    arguments: tuple[str, ...], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run Python with the arguments."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def audit(environment: Mapping[str, str]) -> Result:
    """Look for known vulnerabilities. One found fails; a network that refuses does not."""
    arguments = ("-m", "pip_audit", "--requirement=requirements-dev.txt", "--require-hashes")
    options = ("--disable-pip", "--format=json", "--progress-spinner=off", "--timeout=15")
    result = run(arguments + options, environment)
    try:
        packages = json.loads(result.stdout)["dependencies"]
    except (ValueError, KeyError):
        if NETWORK_TROUBLE.search(result.stderr):
            return True, f"{NOT_DONE}: the network does not let pip-audit through."
        return False, result.stdout + result.stderr
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}"
        for package in packages
        for flaw in package.get("vulns", [])
    ]
    # Such as behind a mirror that has no page about a package.
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown and not found:
        return True, f"{NOT_DONE} for {len(unknown)} of {len(packages)}: {', '.join(unknown)}"
    return not found, "\n".join(found)


STEPS: dict[str, Step] = {
    "format": command("-m", "ruff", "format", "--check", "."),
    "lint": command("-m", "ruff", "check", "."),
    "types": command("-m", "mypy"),
    "import contracts": command(
        "-c", "from importlinter.cli import lint_imports_command as c; c()"
    ),
    "migrations apply": command("manage.py", "migrate", "--verbosity=0"),
    "migrations complete": command("manage.py", "makemigrations", "--check", "--dry-run"),
    "deployment": command(
        "manage.py", "check", "--deploy", "--fail-level=WARNING", "--database=default"
    ),
    "dependency audit": audit,
}


def production_environment(data_dir: Path) -> dict[str, str]:
    """Return the environment of a production server, with secrets made on the spot."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    network = {name: value for name, value in os.environ.items() if is_about_network(name)}
    return {
        **network,
        **inherited,
        "DEBUG": "false",
        "DATA_DIR": os.fspath(data_dir),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_KEYS": f"check:{secrets.token_urlsafe(48)}",
        "ALLOWED_HOSTS": "crm.example.com",
    }


def is_about_network(name: str) -> bool:
    """Tell whether a variable says how to reach the network, which the audit needs."""
    return name.lower().endswith("_proxy") or name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


def main() -> int:
    """Run every step, report each in a line, show what failed. Return the exit status."""
    failed = []
    with ExitStack() as resources:
        data_dir = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="crm-check-")))
        urls = resources.enter_context(running(data_dir, throw_away=True))
        environment = production_environment(data_dir)
        environment |= {"DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner}
        for name, step in STEPS.items():
            started = time.monotonic()
            passed, output = step(environment)
            seconds = time.monotonic() - started
            print(f"{'ok' if passed else 'FAILED':8}{name:24}{seconds:6.1f} s", flush=True)
            if output and (not passed or output.startswith(NOT_DONE)):
                print(output.rstrip(), flush=True)
            if not passed:
                failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
