import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework import serializers

from crm.api import fields
from crm.api.exceptions import to_api_error
from crm.api.serializers import DocumentSerializer, StrictModelSerializer, StrictSerializer
from crm.api.tests.models import Book


class PlaceSerializer(StrictSerializer):
    city = fields.CharField(max_length=5, required=False)
    postal_code = fields.CharField(max_length=5)


class PlaceDocument(DocumentSerializer):
    postal_code = fields.CharField(max_length=5)


class PersonSerializer(StrictSerializer):
    id = fields.UUIDField(read_only=True)
    first_name = serializers.CharField(max_length=10)
    age = serializers.IntegerField(required=False)
    is_tall = serializers.BooleanField(required=False)
    email = serializers.EmailField(required=False)
    budget = serializers.DecimalField(max_digits=5, decimal_places=2, required=False)
    kind = serializers.ChoiceField(choices=["1", "b"], required=False)
    friend = serializers.UUIDField(required=False, allow_null=True)
    born_on = serializers.DateField(required=False)
    met_at = serializers.DateTimeField(required=False)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=3), max_length=2, required=False
    )
    scopes = serializers.DictField(child=serializers.CharField(max_length=3), required=False)
    place = PlaceSerializer(required=False, source="*")
    document = PlaceDocument(required=False)


class BookSerializer(StrictModelSerializer):
    class Meta:
        model = Book
        fields = (
            "id",
            "title",
            "kind",
            "price",
            "page_count",
            "is_lent",
            "tags",
            "created_at",
        )
        read_only_fields = ("id", "created_at")
        extra_kwargs = {"tags": {"max_length": 3}}


def read(data: Any, *, partial: bool = False) -> dict[str, Any]:
    serializer = PersonSerializer(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def problems_of(data: Any) -> dict[str, list[str]]:
    with pytest.raises(serializers.ValidationError) as caught:
        read({"firstName": "Ann", **data})
    error = to_api_error(caught.value)
    assert error is not None
    assert error.details is not None
    return error.details


def test_names_are_camel_case_outside_and_snake_case_inside() -> None:
    assert read({"firstName": " Ann "}) == {"first_name": "Ann"}


@pytest.mark.parametrize("name", ["first_name", "id", "team", "createdAt", "x" * 5000])
def test_undeclared_and_read_only_fields_are_unknown(name: str) -> None:
    assert problems_of({name: "x"}) == {name[:100]: ["Unknown field."]}


def test_unknown_fields_are_named_beside_other_problems() -> None:
    assert set(problems_of({"zip": 1, "age": "x"})) == {"zip", "age"}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("firstName", [1, True, 1.5, [], {}, None, "", " ", "x" * 11, "x" + " " * 10]),
        ("age", ["1", True, 1.5, [], 2**31, None]),
        ("isTall", ["true", 1, 0, "yes", [], None]),
        ("email", [1, "a", "a@b", "a@" + "b" * 250 + ".com", f"{'a@' * 9}b.com"]),
        ("budget", ["1.00", True, 1000, 0.001, 1e300, []]),
        ("kind", [1, True, "c", ["b"], {}, ""]),
        ("friend", [1, "x", "1" * 32, "{" + "1" * 32 + "}", ["x"]]),
        ("bornOn", ["20260131", "2026-W01-1", "2026-02-30", 1, "2026-01-31T00:00:00Z"]),
        ("metAt", ["2026-01-31", "2026-01-31T10:00:00", 1, "0001-01-01T00:00:00+23:59"]),
        ("tags", ["a", {"a": 1}, [1], ["toolong"], ["a", "b", "c"], None]),
        ("scopes", ["a", [], {"a": 1}, {str(n): "a" for n in range(51)}]),
        ("place", ["a", [], {"postalCode": 1}, {"postalCode": "1", "zip": "1"}]),
    ],
)
def test_other_types_and_sizes_are_refused(name: str, values: list[Any]) -> None:
    for value in values:
        assert {key.partition(".")[0] for key in problems_of({name: value})} == {name}, value


def test_right_types_are_read() -> None:
    friend = uuid.uuid4()
    values = read(
        {
            "firstName": "Ann",
            "age": 3.0,
            "isTall": True,
            "budget": 0.1 + 0.2,
            "kind": "1",
            "friend": str(friend),
            "metAt": "2026-01-31T10:00:00.5+01:00",
            "tags": ["a"],
        }
    )
    assert values["age"] == 3
    assert values["budget"] == Decimal("0.30")
    assert values["friend"] == friend
    assert values["met_at"] == datetime(2026, 1, 31, 9, 0, 0, 500_000, UTC)


def test_nested_problems_have_dotted_names() -> None:
    assert problems_of({"place": {"zip": 1}}) == {
        "place.zip": ["Unknown field."],
        "place.postalCode": ["This field is required."],
    }


def test_partial_reads_what_is_there_only() -> None:
    assert read({"place": {"city": "Ulm"}}, partial=True) == {"city": "Ulm"}


def test_document_keeps_its_spoken_names() -> None:
    values = read({"firstName": "A", "document": {"postalCode": "1"}})
    assert values["document"] == {"postalCode": "1"}


@pytest.mark.parametrize("text", ["@" * 500_000, "a." * 400_000 + "@x", "a@" + "a-" * 400_000])
def test_pathological_email_is_refused_at_once(text: str) -> None:
    started = time.perf_counter()
    problems_of({"email": text})
    assert time.perf_counter() - started < 0.5


def test_row_and_instance_have_one_shape() -> None:
    book = Book(title="Emma", kind="novel", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    row = [getattr(book, source) for source in BookSerializer.sources()]
    assert BookSerializer.row(row) == BookSerializer.from_instance(book)
    assert list(BookSerializer.row(row)) == [column.name for column in BookSerializer.columns()]


def test_object_over_several_columns_is_one_in_the_answer() -> None:
    columns = PersonSerializer.columns()
    row = PersonSerializer.row([column.source for column in columns])
    assert row["place"] == {"city": "city", "postalCode": "postal_code"}
    assert row["firstName"] == "first_name"


def test_model_fields_are_strict() -> None:
    serializer = BookSerializer(data={"title": 1, "kind": "poem", "pageCount": "1", "tags": [1]})
    assert not serializer.is_valid()
    assert set(serializer.errors) == {"title", "kind", "pageCount", "tags"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: fields.CharField(),
        lambda: fields.ListField(child=fields.CharField(max_length=1)),
        lambda: fields.DecimalField(max_digits=None, decimal_places=2),
        lambda: fields.strict_version(serializers.JSONField()),
        lambda: fields.strict_version(serializers.CharField()),
    ],
)
def test_unbounded_or_lenient_field_cannot_be_declared(make: Any) -> None:
    with pytest.raises(ImproperlyConfigured):
        make()
