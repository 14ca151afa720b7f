"""From any exception that a request may end with to the error it is answered with."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core import exceptions as django_errors
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from crm.api import errors
from crm.api.envelope import failure_body, request_id_of
from crm.api.naming import camel_case

logger = logging.getLogger(__name__)

# A client that waits this long meets a database that was restarted, or a lock that was released.
RETRY_SECONDS = 2
_NON_FIELD = ("non_field_errors", django_errors.NON_FIELD_ERRORS)


def handle_exception(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer what is known (DRF's EXCEPTION_HANDLER); None leaves the rest to Django's handler.

    Django then logs the trace, rolls back, and ErrorEnvelopeMiddleware replaces its page.
    """
    error = to_api_error(exc)
    if error is None:
        return None
    roll_back()
    return Response(
        failure_body(error, request_id_of(context.get("request"))),
        status=error.status,
        headers=error.response_headers(),
    )


def roll_back() -> None:
    """Mark the request's own transaction for rollback, when it has one."""
    blocks = connection.atomic_blocks
    # A test's transaction is not the request's; Django's `durable` tells them apart the same way.
    if connection.in_atomic_block and blocks and not getattr(blocks[-1], "_from_testcase", False):
        connection.set_rollback(True)


def to_api_error(exc: Exception) -> errors.ApiError | None:
    """Return the API's error for an exception, or None for a fault of ours."""
    if isinstance(exc, errors.ApiError):
        return exc
    for kind, convert in _CONVERSIONS:
        if isinstance(exc, kind):
            return convert(exc)
    return None


def _from_validation(exc: drf.ValidationError) -> errors.ApiError:
    details: dict[str, list[str]] = {}
    for path, message in _flatten(exc.detail, ""):
        details.setdefault(path or "nonFieldErrors", []).append(message)
    return errors.ValidationFailed(details=details)


def _flatten(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield (dotted camelCase path, message) of DRF's nested errors."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            name = _spoken(str(key), value, path)
            yield from _flatten(value, ".".join(filter(None, (path, name))))
    elif isinstance(detail, list | tuple):
        for index, value in enumerate(detail):
            # A list of mappings stands for the items of a list field.
            inner = f"{path}.{index}" if isinstance(value, Mapping) else path
            yield from _flatten(value, inner)
    else:
        yield path, str(detail)


def _spoken(key: str, messages: Any, path: str) -> str:
    if key in _NON_FIELD:
        return ""
    # Below the top are names as the caller wrote them, or places in a list. A name that is none is
    # told back as it came.
    return key if path or messages == [errors.UNKNOWN_FIELD] else camel_case(key)


def _from_model_validation(exc: django_errors.ValidationError) -> errors.ApiError:
    return _from_validation(
        drf.ValidationError(exc.message_dict if hasattr(exc, "error_dict") else exc.messages)
    )


def _from_throttled(exc: drf.Throttled) -> errors.ApiError:
    wait = math.ceil(getattr(exc, "wait", None) or 1)
    return errors.RateLimited(headers={"Retry-After": str(wait)})


def _from_database_outage(exc: Exception) -> errors.ApiError:
    logger.error("The database did not answer: %s", type(exc.__cause__ or exc).__name__)
    return errors.ServiceUnavailable(headers={"Retry-After": str(RETRY_SECONDS)})


def _plain(error: type[errors.ApiError]) -> Callable[[Any], errors.ApiError]:
    return lambda _: error()


# The first kind that fits wins, so subclasses stand before what they derive from.
_CONVERSIONS: tuple[tuple[type[Exception], Callable[[Any], errors.ApiError]], ...] = (
    (drf.ValidationError, _from_validation),
    (drf.NotAuthenticated, _plain(errors.AuthenticationRequired)),
    (drf.AuthenticationFailed, _plain(errors.InvalidToken)),
    (drf.PermissionDenied, _plain(errors.PermissionDenied)),
    (drf.NotFound, _plain(errors.NotFound)),
    (drf.MethodNotAllowed, _plain(errors.MethodNotAllowed)),
    (drf.UnsupportedMediaType, _plain(errors.UnsupportedMediaType)),
    (drf.Throttled, _from_throttled),
    # NotAcceptable and ParseError among them.
    (drf.APIException, lambda exc: errors.ValidationFailed(str(exc.detail))),
    (Http404, _plain(errors.NotFound)),
    (django_errors.PermissionDenied, _plain(errors.PermissionDenied)),
    (django_errors.RequestDataTooBig, _plain(errors.PayloadTooLarge)),
    (django_errors.SuspiciousOperation, _plain(errors.ValidationFailed)),
    (django_errors.ValidationError, _from_model_validation),
    (UnreadablePostError, lambda _: errors.ValidationFailed("The body ended early.")),
    (OperationalError, _from_database_outage),
    (InterfaceError, _from_database_outage),
)
