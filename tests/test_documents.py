"""What README and docs point to exists."""

from pathlib import Path

import pytest

from crm.env import PROJECT_DIR
from tests.documents import anchors_of, documents, links_of, section_of

README = PROJECT_DIR / "README.md"
every_document = pytest.mark.parametrize(
    "document", documents(), ids=lambda path: str(path.relative_to(PROJECT_DIR))
)


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for file, heading in links_of(document):
        target = (document.parent / file) if file else document
        assert target.exists(), file
        assert target.resolve().is_relative_to(PROJECT_DIR), file
        if heading:
            assert heading in anchors_of(target), f"{file}#{heading}"


def test_every_protection_names_a_test() -> None:
    table = section_of(README, "What is protected, and the test that holds it")
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert rows
    for row in rows:
        assert "/test_" in row.split("|")[2], row
