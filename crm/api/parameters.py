"""The query parameters of a list: known, given once, short and clean."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from django.http import QueryDict

from crm.api.errors import ValidationFailed

MAX_VALUE_LENGTH = 200
# An opaque cursor may carry a text that rows are ordered by.
MAX_CURSOR_LENGTH = 4096
LIST_PARAMETERS = frozenset({"limit", "cursor", "ordering", "count", "q"})
_NAMED_PARAMETERS = 20
# Control characters other than tab and line ends; a NUL would reach the database as an error.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def check_parameters(parameters: QueryDict, known: Collection[str]) -> None:
    """Raise ValidationFailed for unknown, repeated, empty, long or unclean parameters."""
    problems: dict[str, list[str]] = {}
    for name, values in parameters.lists():
        problem = _problem(name, values, known)
        if problem and len(problems) < _NAMED_PARAMETERS:
            problems[_CONTROL.sub("?", name[:100])] = [problem]
    if problems:
        raise ValidationFailed(details=problems)


def _problem(name: str, values: Sequence[object], known: Collection[str]) -> str | None:
    if name not in known:
        return "Unknown parameter."
    if len(values) != 1:
        return "Give this parameter once."
    value = str(values[0])
    if not value.strip():
        return "Must not be empty."
    limit = MAX_CURSOR_LENGTH if name == "cursor" else MAX_VALUE_LENGTH
    if len(value) > limit:
        return f"At most {limit} characters."
    if _CONTROL.search(value):
        return "Control characters are not allowed."
    return None


def read_flag(parameters: QueryDict, name: str) -> bool:
    """Return a parameter that is `true` or `false` (or absent, then false)."""
    value = parameters.get(name)
    if value not in (None, "true", "false"):
        raise ValidationFailed(details={name: ["Must be true or false."]})
    return value == "true"


def read_limit(parameters: QueryDict, *, default: int, maximum: int) -> int:
    """Return the page size asked for."""
    return read_count(parameters, "limit", default=default, maximum=maximum)


def read_count(parameters: QueryDict, name: str, *, default: int, maximum: int) -> int:
    """Return a parameter that is a whole number from 1 on."""
    value = parameters.get(name)
    if value is None:
        return default
    if re.fullmatch(r"[0-9]{1,9}", value) and 1 <= int(value) <= maximum:
        return int(value)
    raise ValidationFailed(details={name: [f"Must be a whole number from 1 to {maximum}."]})
