"""The project's Markdown files, read as the tests of them need it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from crm.env import PROJECT_DIR

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block and the language that it names."""

    language: str
    text: str


def documents() -> list[Path]:
    """Return every Markdown file of the project."""
    return sorted([*PROJECT_DIR.glob("*.md"), *(PROJECT_DIR / "docs").rglob("*.md")])


def blocks_of(document: Path) -> list[Block]:
    """Return the fenced blocks in their order."""
    return [Block(*found) for found in _FENCE.findall(document.read_text(encoding="utf-8"))]


def section_of(document: Path, heading: str) -> str:
    """Return the text below a heading of the second level, up to the next one."""
    _, _, rest = document.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    assert rest, f"{document.name} has no section {heading!r}"
    return rest.partition("\n## ")[0]


def links_of(document: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, heading) of each link within the project; either may be empty."""
    for target in _LINK.findall(_FENCE.sub("", document.read_text(encoding="utf-8"))):
        if "://" not in target and not target.startswith("mailto:"):
            file, _, heading = target.partition("#")
            yield file, heading


def anchors_of(document: Path) -> set[str]:
    """Return the names under which headings can be linked to."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
