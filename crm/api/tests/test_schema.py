"""The description is checked as a whole: whatever is added is held to the same rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from crm.api.errors import ApiError
from crm.api.schema.document import schema_document

# Answers that are files.
FILES = {"get /v1/audit-logs/export"}
Operation = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    schema_document.cache_clear()
    found: dict[str, Any] = json.loads(schema_document())
    return found


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def objects_in(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema and "type" in schema:
            yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for inner in schema:
            yield from objects_in(inner)


def test_schema_is_served_without_an_envelope(document: dict[str, Any]) -> None:
    response = Client().get("/v1/schema")
    assert response["Content-Type"] == "application/json"
    assert response.json() == document


def test_schema_is_valid_and_made_without_a_warning(document: dict[str, Any]) -> None:
    validate_schema(document)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_every_route_is_described(document: dict[str, Any]) -> None:
    own = {"schema", "docs"}
    v1: Any = next(p for p in get_resolver().url_patterns if str(p.pattern) == "v1/")
    names = [p for p in _patterns(v1.url_patterns) if p.name not in own]
    assert len(names) == len(document["paths"])


def _patterns(patterns: Any) -> Iterator[Any]:
    for pattern in patterns:
        inner = getattr(pattern, "url_patterns", None)
        yield from _patterns(inner) if inner is not None else [pattern]


def test_every_answer_that_works_says_what_its_data_is(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        worked = [code for code in operation["responses"] if code < "300"]
        assert len(worked) == 1, name
        if name in FILES:
            continue
        schema = operation["responses"][worked[0]]["content"]["application/json"]["schema"]
        assert schema["properties"]["data"], name


def test_every_object_is_closed(document: dict[str, Any]) -> None:
    for schema in objects_in(document):
        assert "additionalProperties" in schema, schema


def test_every_body_says_what_it_costs(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if "requestBody" in operation:
            assert operation["responses"].keys() >= {"400", "413", "415"}, name


def test_every_closed_call_names_its_refusals(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        is_open = operation["security"] == [{}]
        assert is_open or operation["responses"].keys() >= {"401", "403", "429"}, name


def test_every_code_is_one_of_the_errors(document: dict[str, Any]) -> None:
    known = {(kind.status, kind.code) for kind in ApiError.__subclasses__()}
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400":
                schema = answer["content"]["application/json"]["schema"]
                codes = schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"]
                assert {(int(status), code) for code in codes} <= known, name


def test_lists_describe_their_parameters(document: dict[str, Any]) -> None:
    lists = [o for _, o in operations(document) if _names(o) & {"limit"}]
    assert lists
    for operation in lists:
        assert _names(operation) >= {"limit", "cursor", "ordering", "count"}


def _names(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", [])}
