"""The API's description of itself (OpenAPI 3.1), made from what the views declare."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from crm.api import errors, json
from crm.api.naming import camel_case
from crm.api.schema.answers import (
    BODY_ERRORS,
    COMPONENTS,
    FAULTS,
    LOGIN_ERRORS,
    failure_answers,
    success_answer,
)
from crm.api.schema.describe import Description, description_of
from crm.api.schema.json_schema import (
    NO_NUL,
    NOT_BLANK,
    UUID,
    Schema,
    constant,
    nullable,
    record,
    shown,
)
from crm.api.schema.parameters import list_parameters, query_parameter
from crm.api.serializers import DocumentSerializer, StrictModelSerializer, StrictSerializer

_WRITING_ACTIONS = ("create", "update", "partial_update")
# Answered by `RecordViewSet.shown`: what a key without the right to view sees of them is the id.
_SHOWING_ACTIONS = ("update", "partial_update", "restore")


class EnvelopeAutoSchema(AutoSchema):
    """Describe calls as they are: strict bodies, the envelope, every error by its code."""

    def get_operation_id(self) -> str:
        parts = self.path.strip("/").replace("{", "by_").replace("}", "").split("/")[1:]
        return camel_case("_".join([self.method.lower(), *parts]).replace("-", "_"))

    def get_summary(self) -> str:
        return self._doc().partition("\n")[0]

    def get_description(self) -> str:  # type: ignore[override]  # So does its base.
        return self._doc().partition("\n")[2].strip()

    def get_tags(self) -> list[str]:
        return [self._tokenize_path()[0]]

    def get_auth(self) -> list[Schema]:
        accepted = self._accepted_credentials()
        return [{name: []} for name in accepted] or [{}]

    def get_request_serializer(self) -> Any:
        return self._description().body or {}

    def _get_request_body(self, direction: str = "request") -> Schema | None:
        serializer = self._description().body
        if serializer is None:
            return None
        schema, is_required = self._get_request_for_media_type(serializer, direction)  # type: ignore[no-untyped-call]
        content = {"application/json": {"schema": schema}}
        return {"content": content, "required": is_required or self._description().needs_body}

    def _get_parameters(self) -> list[Schema]:
        declared = [query_parameter(*item) for item in self._description().parameters.items()]
        in_path = [
            {"name": name, "in": "path", "required": True, "schema": UUID}
            for name in self._path_variables()
        ]
        if not self._is_page():
            return in_path + declared
        view: Any = self.view
        return list_parameters(view.filterset_class, view.ordering_fields) + declared

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        description = self._description()
        is_limited = getattr(self.view, "is_limited", True)
        answer = success_answer(
            self._resolve(description.data), is_page=self._is_page(), is_limited=is_limited
        )
        if description.media:
            answer["content"] = {name: {"schema": s} for name, s in description.media.items()}
        failures = failure_answers(self._errors(description), is_limited=is_limited)
        return {str(description.status): answer, **failures}

    def _errors(self, description: Description) -> list[type[errors.ApiError]]:
        found: list[type[errors.ApiError]] = [errors.ValidationFailed, *description.errors, *FAULTS]
        if self._accepted_credentials():
            found += LOGIN_ERRORS
            found += self._permission_errors()
        if self._path_variables():
            found.append(errors.NotFound)
        if description.body:
            found += BODY_ERRORS
        if getattr(self.view, "is_limited", True):
            found.append(errors.RateLimited)
        return found

    def _description(self) -> Description:
        """Return what the handler declares; what it leaves out follows from the view."""
        action = getattr(self.view, "action", None)
        serializer = getattr(self.view, "serializer_class", None)
        said = description_of(self._handler())
        data, body, status = said.data, said.body, said.status
        if data is None:
            data = record(id=UUID) if action == "destroy" else serializer
            if action in _SHOWING_ACTIONS and hasattr(self.view, "shown"):
                data = shown(serializer)
        if body is None and action in _WRITING_ACTIONS:
            body = serializer
        if action == "create":
            status = 201
        return replace(said, data=data, body=body, status=status)

    def _handler(self) -> Any:
        name = getattr(self.view, "action", None) or self.method.lower()
        return getattr(self.view, name)

    def _doc(self) -> str:
        lines = (self._handler().__doc__ or "").strip().splitlines()
        return "\n".join(line.strip() for line in lines)

    def _is_page(self) -> bool:
        is_list = getattr(self.view, "action", None) == "list"
        return is_list or self._description().page is not None

    def _path_variables(self) -> list[str]:
        return [part.strip("{}") for part in self.path.split("/") if part.startswith("{")]

    def _accepted_credentials(self) -> tuple[str, ...]:
        """Return the security schemes that all permissions of the view take."""
        accepted = tuple(COMPONENTS["securitySchemes"])
        for permission in self.view.permission_classes:
            allowed = getattr(permission, "accepted_credentials", accepted)
            accepted = tuple(name for name in accepted if name in allowed)
        return accepted if self.view.authentication_classes else ()

    def _permission_errors(self) -> list[type[errors.ApiError]]:
        """Return what the view's permissions refuse a caller with, beside a missing right."""
        asked = self.view.permission_classes
        return [error for permission in asked for error in getattr(permission, "errors", ())]

    def _resolve(self, data: Any) -> Any:
        """Put references in the place of serializer classes."""
        if isinstance(data, type) and issubclass(data, StrictSerializer):
            reference: Schema = self.resolve_serializer(data, "response").ref
            return reference
        if isinstance(data, dict):
            return {name: self._resolve(value) for name, value in data.items()}
        if isinstance(data, list):
            return [self._resolve(value) for value in data]
        return data

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Schema:
        schema: Schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        adapt = _as_answered if direction == "response" else _as_taken
        fields = serializer.fields
        properties = {n: adapt(fields[n], found) for n, found in schema["properties"].items()}
        required = schema.get("required", [])
        if direction == "response":
            # An answer has every field of a record; a document has what was put into it.
            required = [] if isinstance(serializer, DocumentSerializer) else list(properties)
        return {
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }

    def _map_serializer_field(
        self, field: Any, direction: str, bypass_extensions: bool = False
    ) -> Schema | None:
        if field.write_only and direction == "response":
            return None
        own: Schema | None = getattr(field, "json_schema", None)
        if own is None:
            own = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        return own


def _as_taken(field: Any, schema: Schema) -> Schema:
    """Say what the strict fields refuse beyond what drf-spectacular knows."""
    schema = _plain(schema)
    if schema.get("type") == "array" and "items" in schema:
        schema["items"] = _as_taken(field.child, schema["items"])
    if not isinstance(field, serializers.CharField) or "enum" in schema:
        return schema
    if "format" not in schema:
        schema["pattern"] = NO_NUL if field.allow_blank else NOT_BLANK
    elif field.allow_blank:
        return {"anyOf": [schema, constant("")]}
    return schema


def _as_answered(field: Any, schema: Schema) -> Schema:
    schema = _plain(schema)
    # Bounds are what may come in; a stored value may be older than they are.
    for name in ("default", "readOnly", "minLength", "pattern"):
        schema.pop(name, None)
    if isinstance(field, serializers.EmailField):
        schema.pop("format", None)
    return nullable(schema) if _may_be_null(field) else schema


def _plain(schema: Schema) -> Schema:
    """Undo drf-spectacular's `oneOf` for blank strings: both of its branches can hold for one."""
    branches = schema.get("oneOf", [])
    if {"type": "string", "maxLength": 0} in branches:
        schema = {**schema, **branches[0]}
        del schema["oneOf"]
    return {name: value for name, value in schema.items() if name != "x-spec-enum-id"}


def _may_be_null(field: Any) -> bool:
    if field.allow_null:
        return True
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    if not isinstance(field.parent, StrictModelSerializer) or model is None:
        return False
    try:
        return bool(model._meta.get_field(field.source).null)
    except FieldDoesNotExist:
        return False


@lru_cache(maxsize=1)
def schema_document() -> bytes:
    """Return the OpenAPI document as JSON, made once a process."""
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for kind, components in COMPONENTS.items():
        document["components"].setdefault(kind, {}).update(components)
    return json.dumps(document)
