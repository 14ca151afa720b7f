"""The query parameters of lists in the API's description."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django_filters import filters as django_filters

from crm.api import filters
from crm.api.pagination import DEFAULT_LIMIT, DEFAULT_ORDERING, MAX_LIMIT
from crm.api.parameters import MAX_CURSOR_LENGTH, MAX_VALUE_LENGTH
from crm.api.schema.json_schema import (
    BOOLEAN,
    CLEAN_TEXT,
    DATE,
    DATE_TIME,
    INTEGER,
    NUMBER,
    UUID,
    Schema,
    one_of,
)

_TEXT: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_VALUE_LENGTH,
    "pattern": CLEAN_TEXT,
}
_SCHEMA_OF_FILTER: tuple[tuple[type[Any], Schema], ...] = (
    (filters.BooleanFilter, BOOLEAN),
    (filters.DateTimeFilter, DATE_TIME),
    (filters.DateFilter, DATE),
    (filters.IdFilter, UUID),
    (django_filters.NumberFilter, NUMBER),
)


def query_parameter(name: str, schema: Schema, description: str = "") -> Schema:
    """Return the description of one optional query parameter."""
    parameter: Schema = {"name": name, "in": "query", "required": False, "schema": schema}
    return {**parameter, "description": description} if description else parameter


def list_parameters(
    filterset: type[filters.StrictFilterSet], orderings: Iterable[str]
) -> list[Schema]:
    """Return the descriptions of everything that a list's query string may hold."""
    directions = [sign + name for name in orderings for sign in ("-", "")]
    limit = {**INTEGER, "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    cursor = {**_TEXT, "maxLength": MAX_CURSOR_LENGTH}
    parameters = [
        query_parameter("limit", limit, "How many records a page holds."),
        query_parameter("cursor", cursor, "`nextCursor` or `previousCursor` of another page."),
        query_parameter("ordering", {**one_of(*directions), "default": DEFAULT_ORDERING}),
        query_parameter("count", BOOLEAN, "Whether to count the whole list into `total`."),
    ]
    if filterset.has_search():
        parameters.append(query_parameter("q", _TEXT, "Free text; typing errors are forgiven."))
    return parameters + [
        query_parameter(name, schema) for name, schema in filter_schemas(filterset).items()
    ]


def filter_schemas(filterset: type[filters.StrictFilterSet]) -> dict[str, Schema]:
    """Return the schema of each filter by its spoken name."""
    return {name: _schema_of(filter_) for name, filter_ in filterset.base_filters.items()}


def _schema_of(filter_: Any) -> Schema:
    for kind, schema in _SCHEMA_OF_FILTER:
        if isinstance(filter_, kind):
            return schema
    choices = filter_.extra.get("choices")
    if choices:
        return one_of(*(str(value) for value, _ in choices))
    return _TEXT
