from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.functional import lazystr
from hypothesis import given
from hypothesis import strategies as st

from crm.api import json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (datetime(2026, 1, 31, 9, 30, 0, 120, UTC), b'"2026-01-31T09:30:00.000120Z"'),
        (date(2026, 1, 31), b'"2026-01-31"'),
        (UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        (Decimal("250000.00"), b"250000"),
        (Decimal("0.10"), b"0.1"),
        (Decimal("1e30"), b"1e+30"),
        (lazystr("later"), b'"later"'),
        ({"b", "a"}, b'["a","b"]'),
    ],
)
def test_dumps_writes_what_the_contract_says(value: object, encoded: bytes) -> None:
    assert json.dumps(value) == encoded


def test_dumps_refuses_what_has_no_json_form() -> None:
    with pytest.raises(TypeError):
        json.dumps(object())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"NaN",
        b"1e999",
        b'"\\ud800"',
        b'"\xff"',
        b'["\\u0000"]',
        b'{"\\u0000": 1}',
        b'{"a": [{"b": "\\u0000"}]}',
        b"\xef\xbb\xbf{}",
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 5000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_loads_refuses_what_must_not_come_in(raw: bytes) -> None:
    with pytest.raises(json.InvalidJson):
        json.loads(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'"\\\\u0000"', "\\u0000"),
        (b"[" * 32 + b"]" * 32, None),
        (b"[" + b"[]," * 100 + b"[]]", [[]] * 101),
    ],
)
def test_loads_reads_what_only_looks_bad(raw: bytes, value: object) -> None:
    assert json.loads(raw) == value or value is None


@given(VALUES)
def test_loads_reads_back_what_dumps_wrote(value: Any) -> None:
    raw = json.dumps(value)
    if b"\\u0000" not in raw:
        assert json.loads(raw) == value


@given(st.binary() | st.text().map(str.encode) | VALUES.map(json.dumps))
def test_loads_answers_or_raises_its_one_exception(raw: bytes) -> None:
    try:
        value = json.loads(raw)
    except json.InvalidJson:
        return
    assert "\0" not in str(value)
