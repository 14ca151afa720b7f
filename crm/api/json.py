"""JSON in and out: one encoder and one strict decoder for the whole system."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise

# Deeper than any body of this API, far below what makes a recursive reader fail.
MAX_DEPTH = 32
_TOO_DEEP = f"The JSON is nested too deep; {MAX_DEPTH} levels are allowed."
_INT64 = 2**63
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


class InvalidJson(ValueError):
    """The bytes are not JSON that may come in; the message can be shown to the caller."""


def dumps(obj: Any) -> bytes:
    """Encode; times are RFC 3339 with `Z` for UTC, decimals are numbers."""
    return orjson.dumps(obj, default=_encode, option=_OPTIONS)


def loads(raw: bytes) -> Any:
    """Decode UTF-8 JSON; raise InvalidJson for NaN, NUL, lone surrogates and deep nesting too."""
    try:
        value = orjson.loads(raw)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise InvalidJson(_explain(error)) from None
    # A raw NUL is no valid JSON, so one can only come escaped; what has few brackets is not deep.
    # Looking at the bytes first spares nearly every body the walk.
    if b"\\u0000" in raw or raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _check(value)
    return value


def _explain(error: orjson.JSONDecodeError | RecursionError) -> str:
    # The parser's words for too many levels are "depth limit" and, unclosed, "failed to allocate".
    if isinstance(error, RecursionError) or "depth" in error.msg or "allocate" in error.msg:
        return _TOO_DEEP
    return f"Malformed JSON: {error.msg}, line {error.lineno}, column {error.colno}."


def _check(value: Any) -> None:
    """Walk level by level, without recursion, for NUL characters and too many levels."""
    level = [value]
    depth = 0
    while level:
        if any("\0" in item for item in level if isinstance(item, str)):
            raise InvalidJson("NUL characters are not allowed.")
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += 1
        if containers and depth > MAX_DEPTH:
            raise InvalidJson(_TOO_DEEP)
        level = [inner for item in containers for inner in item]
        level += [inner for item in containers if isinstance(item, dict) for inner in item.values()]


def _encode(value: Any) -> Any:
    if isinstance(value, Decimal):
        whole = value.to_integral_value() if value.is_finite() else None
        return int(value) if value == whole and abs(value) < _INT64 else float(value)
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")
