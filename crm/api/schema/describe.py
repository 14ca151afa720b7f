"""How a view says what goes in and comes out, for the API's description.

Views of records need nothing: their serializer and their actions say it. Others use `describe`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from crm.api.errors import ApiError
from crm.api.filters import StrictFilterSet
from crm.api.schema.json_schema import Schema
from crm.api.serializers import StrictSerializer

# What a page can be narrowed down by, and ordered by.
Listing = tuple[type[StrictFilterSet], Mapping[str, Any]]
Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Description:
    """What one call takes and answers."""

    data: type[StrictSerializer] | Schema | None = None
    body: type[StrictSerializer] | None = None
    status: int = 200
    errors: tuple[type[ApiError], ...] = ()
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    needs_body: bool = False
    page: Listing | None = None
    media: Mapping[str, Schema] = field(default_factory=dict)


def describe(  # noqa: PLR0913 (all that can be said of a call)
    *,
    data: type[StrictSerializer] | Schema | None = None,
    body: type[StrictSerializer] | None = None,
    status: int = 200,
    errors: tuple[type[ApiError], ...] = (),
    parameters: Mapping[str, Schema] | None = None,
    needs_body: bool = False,
    page: Listing | None = None,
    media: Mapping[str, Schema] | None = None,
) -> Callable[[Handler], Handler]:
    """Say what a handler takes and answers.

    `data` is a serializer class or a schema (crm.api.schema.json_schema) with such classes in it.
    `errors` are those that only this call gives; what follows from its path, body and login is
    known. With
    `needs_body` even an empty object must be sent; a body with required fields says so by itself.
    `page` makes the answer a page of `data`; `media` are the types of an answer without envelope.
    """

    def remember(handler: Handler) -> Handler:
        description = Description(
            data, body, status, errors, parameters or {}, needs_body, page, media or {}
        )
        handler.api_description = description  # type: ignore[attr-defined]  # A mark on a function.
        return handler

    return remember


def description_of(handler: Any) -> Description:
    """Return what was said of a handler."""
    return getattr(handler, "api_description", None) or Description()
