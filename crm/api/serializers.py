"""The base of every serializer: strict about what comes in, fast with what goes out."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from rest_framework import serializers
from rest_framework.request import Request

from crm.api import fields as strict
from crm.api.errors import UNKNOWN_FIELD
from crm.api.naming import camel_case as camel_case
from crm.api.shape import Column, Shape

# A body of a megabyte can name a hundred thousand fields; the answer names the first few.
_NAMED_UNKNOWN_FIELDS = 20


class StrictSerializer(serializers.Serializer[Any]):
    """Fields are declared in snake_case and spoken in camelCase; what is not declared is refused.

    So is a read-only field in a body. `columns`, `row` and `from_instance` make the answer without
    DRF's `to_representation`, which costs more than the query.
    """

    # The names of a document (a JSON column) are kept as they are spoken.
    is_document: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # DRF's metaclass has gathered them by now. A lenient field is replaced when the class is
        # made, so that none can be forgotten.
        declared: dict[str, Any] = cls._declared_fields
        for name, field in declared.items():
            declared[name] = strict.strict_version(field)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        renamed = {}
        for name, field in self._declared_or_cached().items():
            spoken = camel_case(name)
            if spoken != name and field.source is None and not self.is_document:
                field.source = name
            renamed[spoken] = field
        return renamed

    def _declared_or_cached(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return super().get_fields()

    def to_internal_value(self, data: Any) -> Any:
        unknown = self._unknown_fields(data)
        if not unknown:
            return super().to_internal_value(data)
        details: dict[str, Any] = {}
        try:
            super().to_internal_value(data)
        except serializers.ValidationError as error:
            details.update(error.detail if isinstance(error.detail, dict) else {})
        raise serializers.ValidationError({**details, **unknown})

    def _unknown_fields(self, data: Any) -> dict[str, list[str]]:
        if not isinstance(data, Mapping):
            return {}
        unknown = [name for name in data if name not in self.fields or self.fields[name].read_only]
        return {name[:100]: [UNKNOWN_FIELD] for name in unknown[:_NAMED_UNKNOWN_FIELDS]}

    @classmethod
    def shape(cls) -> Shape:
        """Return the compiled form of this serializer's answers, made once a class."""
        shape: Shape | None = cls.__dict__.get("_shape")
        if shape is None:
            shape = Shape(_columns_of(cls()))
            cls._shape = shape
        return shape

    _shape: ClassVar[Shape]

    @classmethod
    def columns(cls) -> tuple[Column, ...]:
        """Return (spoken name, ORM path) of what `row` expects, in its order."""
        return cls.shape().columns

    @classmethod
    def sources(cls) -> tuple[str, ...]:
        """Return the ORM paths for `queryset.values_list(*sources)`."""
        return cls.shape().sources

    @classmethod
    def row(cls, values: Sequence[Any]) -> dict[str, Any]:
        """Return the answer for one row of `values_list`; values behind the columns are ignored."""
        return cls.shape().row(values)

    @classmethod
    def from_instance(cls, instance: Any) -> dict[str, Any]:
        """Return the same answer for a model instance."""
        return cls.row(cls.shape().read(instance))


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """Builds its fields from the model, with the strict field for each column.

    Uniqueness is not asked beforehand: the database decides, and it sees one team only.
    """

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: strict.CharField,
        models.TextField: strict.CharField,
        models.EmailField: strict.EmailField,
        models.BooleanField: strict.BooleanField,
        models.IntegerField: strict.IntegerField,
        models.SmallIntegerField: strict.IntegerField,
        models.PositiveIntegerField: strict.IntegerField,
        models.PositiveSmallIntegerField: strict.IntegerField,
        models.DecimalField: strict.DecimalField,
        models.UUIDField: strict.UUIDField,
        models.DateTimeField: strict.DateTimeField,
        models.DateField: strict.DateField,
        ArrayField: strict.ListField,
    }
    serializer_choice_field = strict.ChoiceField
    serializer_related_field = strict.PrimaryKeyRelatedField

    _built: ClassVar[dict[str, Any]]

    def _declared_or_cached(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # To build them from the model takes longer than a query; a copy is cheap.
        cls = type(self)
        if "_built" not in cls.__dict__:
            built = serializers.ModelSerializer.get_fields(self)
            cls._built = {name: strict.strict_version(field) for name, field in built.items()}
        return copy.deepcopy(cls._built)

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple[Any, dict[str, Any]]:
        """Give a field the column's default, so that a PUT puts back what it does not name."""
        field_class, options = super().build_standard_field(field_name, model_field)
        if not options.get("read_only") and (model_field.has_default() or model_field.null):
            options["default"] = model_field.default if model_field.has_default() else None
            options.pop("required", None)
        return field_class, options

    def get_unique_together_validators(self) -> list[Any]:
        return []

    def get_unique_for_date_validators(self) -> list[Any]:
        return []


def refuse_body(request: Request) -> None:
    """Refuse the fields of a body sent to a call that reads none."""
    StrictSerializer(data=request.data).is_valid(raise_exception=True)


class DocumentSerializer(StrictSerializer):
    """A JSON column with known fields: its values keep the spoken names."""

    is_document = True


def _columns_of(serializer: StrictSerializer) -> tuple[Column, ...]:
    flat, nested = [], []
    for name, field in serializer.fields.items():
        if field.write_only:
            continue
        if isinstance(field, StrictSerializer) and field.source == "*":
            nested += [Column(f"{name}.{c.name}", c.source) for c in _columns_of(field)]
        else:
            is_json = isinstance(field, DocumentSerializer | strict.DictField)
            flat.append(Column(name, _orm_path(field), is_json))
    # Nested objects come last, each in one piece, so that a row is built from slices.
    return (*flat, *nested)


def _orm_path(field: serializers.Field[Any, Any, Any, Any]) -> str:
    if isinstance(field, serializers.SerializerMethodField) or field.source == "*":
        raise ImproperlyConfigured(f"{field.field_name} is computed: no column gives it.")
    path = (field.source or "").replace(".", "__")
    if isinstance(field, serializers.PrimaryKeyRelatedField) and not path.endswith("_id"):
        return f"{path}_id"
    return path
