"""The answer of a record, compiled once: which columns to read, and how a row becomes an object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import orjson


class Column(NamedTuple):
    """One value: its spoken name (`address.city` inside an object) and where the ORM finds it."""

    name: str
    source: str
    is_json: bool = False


class Shape:
    """Turns rows of `values_list(*sources)` into answers."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self.columns = tuple(columns)
        self.sources = tuple(column.source for column in self.columns)
        self._names = tuple(c.name for c in self.columns if "." not in c.name)
        self._objects = _slices(self.columns, start=len(self._names))
        self._json_names = tuple(c.name for c in self.columns if c.is_json)
        self._getters = tuple(_getter(source) for source in self.sources)

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return the answer for one row."""
        # The row may be longer: a page adds the values it is ordered by.
        answer = dict(zip(self._names, values, strict=False))
        for name, fields, part in self._objects:
            answer[name] = dict(zip(fields, values[part], strict=True))
        for name in self._json_names:
            # As crm.db.statements reads it: PostgreSQL's text goes into the answer as it is.
            if isinstance(answer[name], str):
                answer[name] = orjson.Fragment(answer[name])
        return answer

    def read(self, instance: Any) -> tuple[Any, ...]:
        """Return the row of a model instance."""
        return tuple([get(instance) for get in self._getters])


def _slices(columns: Sequence[Column], *, start: int) -> list[tuple[str, tuple[str, ...], slice]]:
    """Return (name, field names, place in the row) of each nested object."""
    groups: dict[str, list[str]] = {}
    for column in columns[start:]:
        name, _, field = column.name.partition(".")
        groups.setdefault(name, []).append(field)
    slices = []
    for name, fields in groups.items():
        slices.append((name, tuple(fields), slice(start, start + len(fields))))
        start += len(fields)
    return slices


def _getter(source: str) -> Callable[[Any], Any]:
    if "__" not in source:
        return attrgetter(source)
    path = source.split("__")

    def follow(instance: Any) -> Any:
        for name in path:
            # NULL along the way gives NULL, as an outer join does.
            if instance is None:
                return None
            instance = getattr(instance, name)
        return instance

    return follow
