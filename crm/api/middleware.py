"""The envelope for errors that no view of ours answered."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from crm.api import errors
from crm.api.envelope import failure_response
from crm.api.exceptions import to_api_error
from crm.serving.body_reader import NOT_READ

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_ERROR_OF_STATUS: dict[int, type[errors.ApiError]] = {
    401: errors.AuthenticationRequired,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    409: errors.Conflict,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
    423: errors.AccountLocked,
    429: errors.RateLimited,
    503: errors.ServiceUnavailable,
}
HEALTH_PREFIX = "/v1/health"
# These describe the page that is replaced.
_BODY_HEADERS = ("Content-Type", "Content-Length", "Content-Encoding", "ETag", "Last-Modified")


class ErrorEnvelopeMiddleware:
    """Give every error answer outside the HTML pages the envelope, under DEBUG too.

    Django turns whatever is raised below into an answer and logs it; its page (with DEBUG on, one
    full of settings and source) is replaced here, so that no fault shows a trace, SQL or a path.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            # WSGI reads no body without its length, and to ignore a body would be worse.
            return failure_response(errors.ValidationFailed("Send Content-Length."), request)
        if NOT_READ in request.META:
            return failure_response(
                errors.ServiceUnavailable(headers={"Retry-After": "1"}), request
            )
        try:
            self._check_host(request)
            response = self.get_response(request)
        except DisallowedHost as error:
            response = response_for_exception(request, error)
        if response.status_code < 400 or _is_right(request, response):
            return response
        return _replace(response, request)

    def _check_host(self, request: HttpRequest) -> None:
        """Raise DisallowedHost for a host that is not ours, whether or not anything asks for it."""
        # A probe calls by address; what health says does not depend on the host.
        if not request.path.startswith(HEALTH_PREFIX):
            request.get_host()

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        """Answer errors of plain Django views; None for faults, which Django logs and answers."""
        if is_html_path(request.path):
            return None
        error = to_api_error(exc)
        return failure_response(error, request) if error else None


def is_html_path(path: str) -> bool:
    """Whether a path is the admin's or a static file's, where errors are pages."""
    return path.startswith(tuple(settings.HTML_PATH_PREFIXES))


def _is_right(request: HttpRequest, response: HttpResponseBase) -> bool:
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    return is_json or is_html_path(request.path)


def _replace(response: HttpResponseBase, request: HttpRequest) -> HttpResponse:
    error = _error_of(response.status_code)
    replaced = failure_response(error, request)
    replaced.status_code = response.status_code
    for name, value in response.headers.items():
        if name not in _BODY_HEADERS:
            replaced.headers.setdefault(name, value)
    replaced.cookies = response.cookies
    # Not closed here: that would tell Django that the request is over.
    replaced._resource_closers += response._resource_closers  # type: ignore[attr-defined]  # Not in the stubs.
    return replaced


def _error_of(status: int) -> errors.ApiError:
    fallback = errors.InternalError if status >= 500 else errors.ValidationFailed
    return _ERROR_OF_STATUS.get(status, fallback)()
