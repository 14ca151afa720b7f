"""The table of the security standard is complete, and names tests that there are."""

import ast
import re
from typing import NamedTuple

import pytest

from crm.env import PROJECT_DIR

PAGE = PROJECT_DIR / "docs" / "asvs.md"
# How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has; they are numbered from 1.
SECTIONS = {
    "6.1": 3,
    "6.2": 12,
    "6.3": 4,
    "6.4": 4,
    "6.5": 5,
    "6.6": 3,
    "6.8": 4,
    "7.1": 3,
    "7.2": 4,
    "7.3": 2,
    "7.4": 5,
    "7.5": 2,
    "7.6": 2,
    "9.1": 3,
    "9.2": 4,
}
_ROW = re.compile(r"\| v5\.0\.0-(?P<number>[\d.]+) \| (?P<answer>.+) \| (?P<tests>.+) \|")
_TEST = re.compile(r"\[(?P<name>test_\w+)\]\(\.\./(?P<path>[\w/.]+)\)")


class Row(NamedTuple):
    """A requirement, what the system does about it, and (name, file) of the tests that hold it."""

    number: str
    answer: str
    tests: list[tuple[str, str]]


def rows() -> list[Row]:
    matches = (_ROW.fullmatch(line) for line in PAGE.read_text(encoding="utf-8").splitlines())
    return [
        Row(match["number"], match["answer"], _TEST.findall(match["tests"]))
        for match in matches
        if match is not None
    ]


def functions_of(path: str) -> set[str]:
    tree = ast.parse((PROJECT_DIR / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_requirement_stands_there_once_and_in_order() -> None:
    expected = [
        f"{section}.{number}"
        for section, count in SECTIONS.items()
        for number in range(1, count + 1)
    ]
    assert [row.number for row in rows()] == expected


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.number)
def test_every_requirement_names_tests_or_why_it_does_not_apply(row: Row) -> None:
    assert row.tests or row.answer.startswith("Does not apply")
    missing = [name for name, path in row.tests if name not in functions_of(path)]
    assert missing == []
