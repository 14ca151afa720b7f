"""Rules about the code, each a function from a parsed file to the lines that break it."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeGuard

from crm.env import PROJECT_DIR
from tests.team_records import TEAM_MODELS

Rule = Callable[[ast.Module], Iterator[int]]

_TEAM_MODEL_NAMES = {model.__name__ for model in TEAM_MODELS} | {"model"}
_MANAGERS = {"objects", "_default_manager", "_base_manager"}
_SQL = re.compile(
    r"\b(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|ALTER\s+(TABLE|ROLE)\s"
    r"|CREATE\s+\w+\s|DROP\s+\w+\s|GRANT\s|TRUNCATE\s)"
)


def source_files() -> list[Path]:
    """Return the project's Python files, tests and migrations left out."""
    found = PROJECT_DIR.glob("**/*.py")
    left_out = {"tests", "migrations", ".venv", ".data", "node_modules"}
    return sorted(
        path
        for path in found
        if left_out.isdisjoint(path.relative_to(PROJECT_DIR).parts) and path.name != "conftest.py"
    )


def unscoped_team_rows(tree: ast.Module) -> Iterator[int]:
    """Find managers of team models that are not narrowed down by `for_team` at once.

    `lock_record` narrows down what it is given.
    """
    scoped = {id(node.value) for node in ast.walk(tree) if _is_attribute(node, "for_team")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_attribute(node.func, "lock_record"):
            scoped |= {id(inner) for argument in node.args for inner in ast.walk(argument)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr not in _MANAGERS:
            continue
        if _is_team_model(node.value) and id(node) not in scoped:
            yield node.lineno


def every_field(tree: ast.Module) -> Iterator[int]:
    """Find serializers and forms that show whatever columns there are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            is_all = isinstance(node.value, ast.Constant) and node.value.value == "__all__"
            if (name == "fields" and is_all) or name == "exclude":
                yield node.lineno


def assembled_sql(tree: ast.Module) -> Iterator[int]:
    """Find SQL that is put together from parts by f-strings, `%`, `+` or `str.format`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            is_sql = any(_is_sql(part) for part in node.values)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
            is_sql = _is_sql(node.left) or _is_sql(node.right)
        elif isinstance(node, ast.Call) and _is_attribute(node.func, "format"):
            is_sql = _is_sql(node.func.value)
        else:
            continue
        if is_sql:
            yield node.lineno


def past_the_orm(tree: ast.Module) -> Iterator[int]:
    """Find the ORM's ways to put raw SQL into a query."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if _is_attribute(called, "raw") or _is_attribute(called, "extra"):
                yield node.lineno
            if isinstance(called, ast.Name) and called.id == "RawSQL":
                yield node.lineno


def open_to_all(tree: ast.Module) -> Iterator[int]:
    """Find DRF's open permission, and views without proof of their origin."""
    yield from _names(tree, {"AllowAny", "csrf_exempt"})


def own_environment(tree: ast.Module) -> Iterator[int]:
    """Find readers of the environment."""
    for node in ast.walk(tree):
        if _is_attribute(node, "environ") or _is_attribute(node, "getenv"):
            yield node.lineno
    yield from _names(tree, {"environb", "getenv"})


def broad_except(tree: ast.Module) -> Iterator[int]:
    """Find handlers of every error; one that ends by raising it again only tidies up."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            named = [] if node.type is None else list(ast.walk(node.type))
            is_broad = node.type is None or any(
                isinstance(inner, ast.Name) and inner.id in {"Exception", "BaseException"}
                for inner in named
            )
            last = node.body[-1]
            if is_broad and not (isinstance(last, ast.Raise) and last.exc is None):
                yield node.lineno


def unescaped_markup(tree: ast.Module) -> Iterator[int]:
    """Find text that is declared to be safe HTML, and code made from text."""
    yield from _names(tree, {"mark_safe", "eval", "exec", "pickle"})


def _names(tree: ast.Module, names: set[str]) -> Iterator[int]:
    for node in ast.walk(tree):
        if (isinstance(node, ast.Name) and node.id in names) or (
            isinstance(node, ast.alias) and node.name in names
        ):
            yield node.lineno


def _is_attribute(node: ast.AST, name: str) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and node.attr == name


def _is_team_model(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id in _TEAM_MODEL_NAMES) or (
        isinstance(node, ast.Attribute) and node.attr in _TEAM_MODEL_NAMES
    )


def _is_sql(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _SQL.search(node.value) is not None
    )
