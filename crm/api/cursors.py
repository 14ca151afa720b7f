"""The opaque place of a row in an ordered list."""

from __future__ import annotations

import base64
import datetime
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.db import models
from django.utils.dateparse import parse_date, parse_datetime

from crm.api import json
from crm.api.errors import ValidationFailed
from crm.api.parameters import MAX_CURSOR_LENGTH


class Cursor(NamedTuple):
    """A key, and whether the page wanted lies before it."""

    is_backward: bool
    key: tuple[Any, ...]


def encode_cursor(ordering: str, cursor: Cursor) -> str:
    """Return the cursor as text for a URL; it holds for this ordering only."""
    values = [_to_json(value) for value in cursor.key]
    raw = json.dumps([ordering, int(cursor.is_backward), *values])
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(text: str, ordering: str, key_fields: Sequence[models.Field[Any, Any]]) -> Cursor:
    """Read a cursor; raise ValidationFailed unless `encode_cursor` could have made it."""
    try:
        return _decode(text, ordering, key_fields)
    except (ValueError, TypeError, OverflowError, InvalidOperation):
        raise ValidationFailed(
            details={"cursor": ["Not a cursor of this list in this ordering."]}
        ) from None


def _decode(text: str, ordering: str, key_fields: Sequence[models.Field[Any, Any]]) -> Cursor:
    if len(text) > MAX_CURSOR_LENGTH:
        raise ValueError("too long")
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    # Without validation the decoder would skip foreign characters.
    content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    if not isinstance(content, list) or len(content) != 2 + len(key_fields):
        raise ValueError("wrong form")
    bound_to, direction, *values = content
    if bound_to != ordering or direction not in (0, 1) or isinstance(direction, bool):
        raise ValueError("of another list")
    pairs = zip(key_fields, values, strict=True)
    return Cursor(direction == 1, tuple(_from_json(field, value) for field, value in pairs))


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    if isinstance(value, Decimal | datetime.date | uuid.UUID):
        return str(value)
    return value


def _from_json(field: models.Field[Any, Any], value: Any) -> Any:
    if isinstance(field, models.BooleanField):
        return _of_type(bool, value)
    if isinstance(field, models.IntegerField):
        return _integer(value)
    for kind, read in _READERS.items():
        if isinstance(field, kind):
            return read(_of_type(str, value))
    raise TypeError(f"Rows cannot be ordered by a {type(field).__name__}.")


def _of_type(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError("wrong type")
    return value


def _integer(value: Any) -> int:
    number: int = _of_type(int, value)
    if not -(2**63) <= number < 2**63:
        raise ValueError("too large")
    return number


def _datetime(value: str) -> datetime.datetime:
    moment = parse_datetime(value)
    if moment is None or moment.utcoffset() is None:
        raise ValueError("no moment")
    # Raises OverflowError at the ends of the calendar, where PostgreSQL has no answer either.
    return moment.astimezone(datetime.UTC)


def _date(value: str) -> datetime.date:
    day = parse_date(value)
    if day is None:
        raise ValueError("no day")
    return day


def _decimal(value: str) -> Decimal:
    number = Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > 100:
        raise ValueError("not finite")
    return number


_READERS: Mapping[type[models.Field[Any, Any]], Callable[[str], Any]] = {
    models.DateTimeField: _datetime,
    models.DateField: _date,
    models.DecimalField: _decimal,
    models.UUIDField: uuid.UUID,
    models.CharField: str,
    models.TextField: str,
}
