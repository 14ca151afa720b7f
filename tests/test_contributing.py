"""The resource of CONTRIBUTING.md is made of what there is."""

import ast
import importlib
from collections.abc import Iterator

from crm.env import PROJECT_DIR
from tests.documents import blocks_of

EXAMPLE = "tasks"


def imports() -> Iterator[tuple[str, str]]:
    """Yield (module, name) of everything that the example imports."""
    for block in blocks_of(PROJECT_DIR / "CONTRIBUTING.md"):
        if block.language != "python":
            continue
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.ImportFrom):
                yield from ((node.module or "", alias.name) for alias in node.names)


def test_the_example_imports_what_exists() -> None:
    found = [(module, name) for module, name in imports() if module.split(".")[0] != EXAMPLE]
    assert ("records.viewsets", "RecordViewSet") in found
    for module, name in found:
        assert hasattr(importlib.import_module(module), name), f"{module}.{name}"
