"""`.env.example` is what crm/env/reader.py declares, and a broken environment stops the start."""

import os
import subprocess
import sys

import pytest

from crm.env import PROJECT_DIR, declared_variables, read_environment
from scripts.env_example import PATH, example_text
from tests.database import declared_names


def test_the_example_is_what_the_code_declares() -> None:
    assert PATH.read_text(encoding="utf-8") == example_text(), "run python -m scripts.env_example"


def test_the_run_of_tests_clears_every_variable() -> None:
    assert declared_names() == [name for name, *_ in declared_variables()]


def test_the_defaults_of_the_example_are_the_defaults(tmp_path: os.PathLike[str]) -> None:
    assignments = (
        line.removeprefix("# ").partition("=")
        for line in example_text().splitlines()
        if "=" in line
    )
    shown = {name: value for name, _, value in assignments}
    own = {"DEBUG": "true", "DATA_DIR": os.fspath(tmp_path)}
    assert read_environment({**shown, **own}) == read_environment(own)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"SECRET_KEY": "changeme", "ALLOWED_HOSTS": "*"},
            ["SECRET_KEY: shorter than 32 characters", "ALLOWED_HOSTS: a wildcard lets anyone"],
        ),
        ({"SECRET_KEY": ""}, ["SECRET_KEY: required outside development"]),
        ({"DEBUG": "ja", "PORT": "0"}, ["DEBUG: 'ja' is not a boolean", "PORT: '0' is not a port"]),
    ],
    ids=["open", "missing", "malformed"],
)
def test_manage_py_stops_with_one_line_for_each_problem(
    changes: dict[str, str], lines: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=PROJECT_DIR,
        env={**os.environ, **changes},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    found = done.stderr.splitlines()
    assert [line.startswith(start) for line, start in zip(found, lines, strict=True)] == [
        True for _ in lines
    ]
