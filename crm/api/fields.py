"""Serializer fields that take a value only as the JSON type it should have.

DRF's own fields are kind: "12" passes as an integer, 12 as a string, "yes" as a boolean. Here a
caller hears of its mistake. Fields that read strings or lists must be bounded.
"""

from __future__ import annotations

import datetime
import re
import uuid
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework import serializers

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_RFC3339_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INT32 = 2**31
_FLOAT_NOISE = 1e-14


class Strict:
    """Marks a field that checks the JSON type of what it reads."""


class CharField(Strict, serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.max_length is None and not self.read_only:
            raise ImproperlyConfigured("A string that comes in needs a max_length.")

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # DRF compares str(data) with "" before it looks at the type.
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        # Blanks around it count: the API's description promises this length, and no more is read.
        if isinstance(data, str) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().run_validation(data)


class EmailField(CharField, serializers.EmailField):
    def __init__(self, **kwargs: Any) -> None:
        # RFC 5321: a path is 256 octets with its brackets.
        kwargs["max_length"] = min(kwargs.get("max_length") or 254, 254)
        super().__init__(**kwargs)


class BooleanField(Strict, serializers.BooleanField):
    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class IntegerField(Strict, serializers.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", -_INT32)
        kwargs.setdefault("max_value", _INT32 - 1)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float) or data != int(data):
            self.fail("invalid")
        return int(data)


class DecimalField(Strict, serializers.DecimalField):
    """A JSON number; JSON as read here has neither NaN nor infinity."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("coerce_to_string", False)
        super().__init__(**kwargs)
        if self.max_digits is None or self.decimal_places is None:
            raise ImproperlyConfigured("A decimal that comes in needs its digits bounded.")

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        if isinstance(data, float):
            # 0.1 + 0.2 arrives as 0.30000000000000004: the noise of binary fractions is no digit.
            rounded = round(data, self.decimal_places or 0)
            data = rounded if abs(data - rounded) <= abs(data) * _FLOAT_NOISE else data
        return super().to_internal_value(data)


class ChoiceField(Strict, serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        # What is not among the choices is not repeated: it may be long.
        if data not in self.choice_strings_to_values and data != "":
            self.fail("invalid_choice", input=data[:40])
        return super().to_internal_value(data)


class UUIDField(Strict, serializers.UUIDField):
    def to_internal_value(self, data: Any) -> uuid.UUID:
        if not isinstance(data, str) or len(data) != 36:
            self.fail("invalid", value="")
        return super().to_internal_value(data)


class PrimaryKeyRelatedField(Strict, serializers.PrimaryKeyRelatedField[Any]):
    """A record named by its id. Give it a queryset of the caller's team."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or len(data) != 36:
            self.fail("incorrect_type", data_type=type(data).__name__)
        return super().to_internal_value(data)


class DateTimeField(Strict, serializers.DateTimeField):
    def to_internal_value(self, value: Any) -> datetime.datetime:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            self.fail("invalid", format="RFC 3339, such as 2026-01-31T09:30:00Z")
        return super().to_internal_value(value.upper())


class DateField(Strict, serializers.DateField):
    def to_internal_value(self, value: Any) -> datetime.date:
        if not isinstance(value, str) or not _RFC3339_DATE.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class ListField(Strict, serializers.ListField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.max_length is None and not self.read_only:
            raise ImproperlyConfigured("A list that comes in needs a max_length.")

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        # Checked before the items: a long list of bad items would make a long answer.
        if self.max_length is not None and len(data) > self.max_length:
            raise serializers.ValidationError(
                [f"Ensure this field has no more than {self.max_length} elements."]
            )
        return super().to_internal_value(data)


class DictField(Strict, serializers.DictField):
    def __init__(self, *, max_entries: int = 50, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_entries = max_entries

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        if len(data) > self.max_entries or any(len(key) > 100 for key in data):
            raise serializers.ValidationError(
                [f"Ensure this field has at most {self.max_entries} entries with short names."]
            )
        return super().to_internal_value(data)


_STRICT: dict[type[Any], type[Any]] = {
    serializers.CharField: CharField,
    serializers.EmailField: EmailField,
    serializers.BooleanField: BooleanField,
    serializers.IntegerField: IntegerField,
    serializers.DecimalField: DecimalField,
    serializers.ChoiceField: ChoiceField,
    serializers.UUIDField: UUIDField,
    serializers.PrimaryKeyRelatedField: PrimaryKeyRelatedField,
    serializers.DateTimeField: DateTimeField,
    serializers.DateField: DateField,
    serializers.ListField: ListField,
    serializers.DictField: DictField,
}


def strict_version(field: Any) -> Any:
    """Return the field, or the strict one in place of DRF's; refuse what has no strict form."""
    child = field._kwargs.get("child")
    is_strict = isinstance(field, Strict) and (child is None or strict_version(child) is child)
    if field.read_only or is_strict or isinstance(field, serializers.BaseSerializer):
        return field
    kind = type(field) if isinstance(field, Strict) else _STRICT.get(type(field))
    if kind is None:
        raise ImproperlyConfigured(f"{type(field).__name__} has no strict form in crm.api.fields.")
    kwargs = dict(field._kwargs)
    if child is not None:
        kwargs["child"] = strict_version(child)
    return kind(*field._args, **kwargs)
