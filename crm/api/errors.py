"""Every error the API answers with, one class for each code of the contract."""

from __future__ import annotations

from typing import Any, ClassVar

REALM_CHALLENGE = 'Bearer realm="crm"'
INVALID_TOKEN_CHALLENGE = f'{REALM_CHALLENGE}, error="invalid_token"'


UNKNOWN_FIELD = "Unknown field."


class ApiError(Exception):
    """An answer other than success; raise it anywhere below a view or middleware.

    `details` is `{field: [messages]}` (or the few facts a code promises), `headers` are added to
    the answer.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"
    message: str = "Something went wrong on our side."
    challenge: str = ""

    def __init__(
        self,
        message: str | None = None,
        *,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.message = type(self).message if message is None else message
        self.details = details
        self.headers = dict(headers or {})
        super().__init__(self.message)

    def response_headers(self) -> dict[str, str]:
        """Return the headers of the answer, with the challenge RFC 6750 asks for."""
        if self.challenge:
            return {"WWW-Authenticate": self.challenge, **self.headers}
        return self.headers


class ValidationFailed(ApiError):
    status = 400
    code = "VALIDATION_ERROR"
    message = "The request is not valid."


class WeakPassword(ApiError):
    status = 400
    code = "WEAK_PASSWORD"
    message = "This password is too easy to guess."


class InvalidCredentials(ApiError):
    status = 401
    code = "INVALID_CREDENTIALS"
    message = "Wrong email or password."
    challenge = REALM_CHALLENGE


class AuthenticationRequired(ApiError):
    status = 401
    code = "AUTHENTICATION_REQUIRED"
    message = "Sign in, or send an API key."
    challenge = REALM_CHALLENGE


class InvalidToken(ApiError):
    status = 401
    code = "INVALID_TOKEN"
    message = "The access token is not valid."
    challenge = INVALID_TOKEN_CHALLENGE


class TokenExpired(ApiError):
    status = 401
    code = "TOKEN_EXPIRED"
    message = "The access token has expired."
    challenge = INVALID_TOKEN_CHALLENGE


class SessionRevoked(ApiError):
    status = 401
    code = "SESSION_REVOKED"
    message = "This session has ended; sign in again."
    challenge = INVALID_TOKEN_CHALLENGE


class NoRefreshToken(ApiError):
    status = 401
    code = "NO_REFRESH_TOKEN"
    message = "No refresh token was sent."
    challenge = REALM_CHALLENGE


class InvalidRefreshToken(ApiError):
    status = 401
    code = "INVALID_REFRESH_TOKEN"
    message = "The refresh token is not valid; sign in again."
    challenge = INVALID_TOKEN_CHALLENGE


class InvalidApiKey(ApiError):
    status = 401
    code = "INVALID_API_KEY"
    message = "The API key is not valid."
    challenge = INVALID_TOKEN_CHALLENGE


class ApiKeyExpired(ApiError):
    status = 401
    code = "API_KEY_EXPIRED"
    message = "The API key has expired."
    challenge = INVALID_TOKEN_CHALLENGE


class PermissionDenied(ApiError):
    status = 403
    code = "PERMISSION_DENIED"
    message = "Your role does not allow this."


class InsufficientScope(ApiError):
    """The API key lacks a scope; `scope` is named to the caller (RFC 6750, 3.1)."""

    status = 403
    code = "INSUFFICIENT_SCOPE"
    message = "The API key lacks the scope this needs."

    def __init__(
        self,
        message: str | None = None,
        *,
        scope: str = "",
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.challenge = f'{REALM_CHALLENGE}, error="insufficient_scope"'
        if scope:
            self.challenge += f', scope="{scope}"'
            details = {"requiredScope": [scope], **(details or {})}
        super().__init__(message, details=details, headers=headers)


class IpNotAllowed(ApiError):
    status = 403
    code = "IP_NOT_ALLOWED"
    message = "This address may not use the API key."


class CsrfFailed(ApiError):
    status = 403
    code = "CSRF_FAILED"
    message = "The request came from a foreign site."


class ReauthenticationRequired(ApiError):
    status = 403
    code = "REAUTHENTICATION_REQUIRED"
    message = "Confirm your password or code first."


class SecondFactorRequired(ApiError):
    status = 403
    code = "SECOND_FACTOR_REQUIRED"
    message = "Set up a second factor first: POST /v1/auth/2fa/setup."


class EmailNotVerified(ApiError):
    status = 403
    code = "EMAIL_NOT_VERIFIED"
    message = "Confirm your email address first."


class PasswordChangeRequired(ApiError):
    status = 403
    code = "PASSWORD_CHANGE_REQUIRED"
    message = "Change your password first."


class NotFound(ApiError):
    status = 404
    code = "NOT_FOUND"
    message = "There is nothing here."


class MethodNotAllowed(ApiError):
    status = 405
    code = "METHOD_NOT_ALLOWED"
    message = "This method is not allowed here."


class Conflict(ApiError):
    status = 409
    code = "CONFLICT"
    message = "This conflicts with the present state of the record."


class AlreadyConverted(ApiError):
    status = 409
    code = "ALREADY_CONVERTED"
    message = "This lead was converted before."


class PayloadTooLarge(ApiError):
    status = 413
    code = "PAYLOAD_TOO_LARGE"
    message = "The body is too large."


class UnsupportedMediaType(ApiError):
    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"
    message = "Send the body as application/json in UTF-8."


class AccountLocked(ApiError):
    status = 423
    code = "ACCOUNT_LOCKED"
    message = "Too many failures; try again later."


class RateLimited(ApiError):
    status = 429
    code = "RATE_LIMIT"
    message = "Too many requests; try again later."


class AuthRateLimited(ApiError):
    status = 429
    code = "AUTH_RATE_LIMIT"
    message = "Too many attempts; try again later."


class InternalError(ApiError):
    status = 500
    code = "INTERNAL_ERROR"


class ServiceUnavailable(ApiError):
    status = 503
    code = "SERVICE_UNAVAILABLE"
    message = "A service this needs is down; try again shortly."
