"""The session with curl in the README works as it is printed."""

import re
import shutil
import subprocess

import pytest

from crm.env import PROJECT_DIR
from tests.documents import Block, blocks_of
from tests.live.server import LiveServer

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl"),
]
DEFAULT_ADDRESS = "http://127.0.0.1:8000"
BOUNDARY = "-- end of the block --"
# Tells the status of every call, and ends the session at the first that fails.
PRELUDE = r"""
set -euo pipefail
curl() { command curl "$@" --fail-with-body --write-out '\n%{stderr}%{http_code}\n'; }
"""


def session() -> list[Block]:
    """Return the blocks of the session: commands, and the answers shown below them."""
    blocks = blocks_of(PROJECT_DIR / "README.md")
    first = next(n for n, block in enumerate(blocks) if DEFAULT_ADDRESS in block.text)
    return blocks[first:]


def run_session(server: LiveServer) -> "subprocess.CompletedProcess[str]":
    """Paste the commands into one shell, with the address of the test's server."""
    commands = [block.text for block in session() if block.language == "sh"]
    script = PRELUDE + f"\necho '{BOUNDARY}'\n".join(commands)
    script = script.replace(DEFAULT_ADDRESS, f"http://127.0.0.1:{server.port}")
    return subprocess.run(
        ["bash"],  # noqa: S607 (whichever shell a reader has)
        input=script,
        cwd=PROJECT_DIR,
        env={**server.environment, "DEBUG": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def names_in(answer: str) -> set[str]:
    """Return the names of fields in JSON, shortened or whole."""
    return set(re.findall(r'"(\w+)":', answer))


def test_every_command_succeeds_and_answers_as_shown(server: LiveServer) -> None:
    done = run_session(server)
    assert done.returncode == 0, done.stdout + done.stderr
    commands = [block.text for block in session() if block.language == "sh"]
    calls = sum(text.count("curl ") for text in commands)
    assert done.stderr.split() == ["200"] * 3 + ["201"] * 2 + ["200"] * 3
    assert calls == len(done.stderr.split())
    shown = [block.text for block in session() if block.language == "json"]
    answers = done.stdout.split(BOUNDARY)[1:]
    assert len(shown) == len(answers)
    for example, answer in zip(shown, answers, strict=True):
        assert '"success":true' in answer
        assert names_in(example) <= names_in(answer), example
