"""The small words that answers are described with (JSON Schema 2020-12, as OpenAPI 3.1 uses it)."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

STRING: Final[Schema] = {"type": "string"}
INTEGER: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
UUID: Final[Schema] = {"type": "string", "format": "uuid"}
DATE: Final[Schema] = {"type": "string", "format": "date"}
DATE_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
EMAIL: Final[Schema] = {"type": "string", "format": "email"}

# What a query parameter may hold: no control characters, and something beside blanks. Kept equal
# to crm.api.parameters by the fuzzing of the schema.
_CONTROL: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
CLEAN_TEXT: Final = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"
# Something beside blanks, and no NUL.
NOT_BLANK: Final = r"^[^\x00]*[^\s\x00][^\x00]*$"
NO_NUL: Final = r"^[^\x00]*$"


def constant(value: Any) -> Schema:
    """Return the schema of one value."""
    return {"const": value}


def one_of(*values: str) -> Schema:
    """Return the schema of one of some words."""
    return {"type": "string", "enum": list(values)}


def array(items: Any) -> Schema:
    """Return the schema of a list; items are a schema or a serializer class."""
    return {"type": "array", "items": items}


def mapping(values: Any) -> Schema:
    """Return the schema of an object with any names."""
    return {"type": "object", "additionalProperties": values}


def record(optional: tuple[str, ...] = (), /, **properties: Any) -> Schema:
    """Return the schema of an object with these properties and no others.

    Each is a schema or a serializer class; all are always there but the optional ones.
    """
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def shown(serializer: Any) -> Schema:
    """Return the schema of a written record: whole, or its id alone for a key that may not read."""
    return {"anyOf": [serializer, record(id=UUID)]}


def nullable(schema: Schema) -> Schema:
    """Return the schema with null as another value."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return {
            **schema,
            "type": [kind, "null"],
            **({"enum": [*schema["enum"], None]} if "enum" in schema else {}),
        }
    if isinstance(kind, list):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}
