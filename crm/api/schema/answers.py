"""The envelope, errors and headers in the API's description."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from crm.api import errors
from crm.api.schema.json_schema import INTEGER, STRING, Schema, array, constant, nullable, record

PAGINATION: Final = record(
    ("total",),
    limit={"type": "integer", "minimum": 1},
    nextCursor=nullable(STRING),
    previousCursor=nullable(STRING),
    total={"type": "integer", "minimum": 0},
)
FAILURE: Final = record(
    success=constant(False),
    error=record(
        ("details",),
        code=STRING,
        message=STRING,
        details={
            "type": "object",
            "description": "`{field: [messages]}`, or the facts that the code promises.",
        },
        requestId=STRING,
    ),
)
COMPONENTS: Final[dict[str, dict[str, Schema]]] = {
    "schemas": {"Failure": FAILURE, "Pagination": PAGINATION},
    "headers": {
        "X-Request-ID": {
            "description": "Names the call, also in the log of a fault.",
            "schema": STRING,
        },
        "RateLimit-Limit": {"description": "Calls allowed in the window.", "schema": INTEGER},
        "RateLimit-Remaining": {"description": "Calls left in the window.", "schema": INTEGER},
        "RateLimit-Reset": {"description": "Seconds to the window's end.", "schema": INTEGER},
        "Retry-After": {"description": "Seconds to wait before another try.", "schema": INTEGER},
        "WWW-Authenticate": {"description": "The challenge (RFC 6750).", "schema": STRING},
    },
    "securitySchemes": {
        "accessToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `accessToken` of a sign-in.",
        },
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "An API key. `Authorization: Bearer` takes it as well.",
        },
    },
}

LOGIN_ERRORS: Final = (
    errors.AuthenticationRequired,
    errors.InvalidToken,
    errors.TokenExpired,
    errors.SessionRevoked,
    errors.InvalidApiKey,
    errors.ApiKeyExpired,
    errors.PermissionDenied,
    errors.InsufficientScope,
    errors.SecondFactorRequired,
    errors.IpNotAllowed,
)
BODY_ERRORS: Final = (errors.PayloadTooLarge, errors.UnsupportedMediaType)
FAULTS: Final = (errors.InternalError, errors.ServiceUnavailable)


def success_answer(data: Schema, *, is_page: bool, is_limited: bool) -> Schema:
    """Return the description of an answer that worked."""
    if is_page:
        envelope = record(
            ("total",),
            success=constant(True),
            data=array(data),
            pagination={"$ref": "#/components/schemas/Pagination"},
            total={"type": "integer", "minimum": 0},
        )
    else:
        envelope = record(success=constant(True), data=data)
    return _answer("It worked.", envelope, is_limited=is_limited)


def failure_answers(kinds: Iterable[type[errors.ApiError]], *, is_limited: bool) -> dict[str, Any]:
    """Return the descriptions of error answers by status."""
    by_status: dict[int, dict[str, type[errors.ApiError]]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, {})[kind.code] = kind
    return {
        str(status): _failure_answer(status, by_status[status], is_limited=is_limited)
        for status in sorted(by_status)
    }


def _failure_answer(
    status: int, kinds: dict[str, type[errors.ApiError]], *, is_limited: bool
) -> Schema:
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Failure"},
            {"properties": {"error": {"properties": {"code": {"enum": sorted(kinds)}}}}},
        ]
    }
    description = " ".join(f"`{code}`: {kind.message}" for code, kind in sorted(kinds.items()))
    answer = _answer(description, schema, is_limited=is_limited)
    if status in (423, 429, 503):
        answer["headers"]["Retry-After"] = _header("Retry-After")
    if status == 401:
        answer["headers"]["WWW-Authenticate"] = _header("WWW-Authenticate")
    return answer


def _answer(description: str, schema: Schema, *, is_limited: bool) -> Schema:
    names = ["X-Request-ID"]
    if is_limited:
        names += ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
    return {
        "description": description,
        "headers": {name: _header(name) for name in names},
        "content": {"application/json": {"schema": schema}},
    }


def _header(name: str) -> Schema:
    return {"$ref": f"#/components/headers/{name}"}
