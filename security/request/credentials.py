"""Where a request carries its credential."""

from rest_framework.request import Request

from crm.api.errors import InvalidToken, ValidationFailed

API_KEY_HEADER = "X-API-Key"
_BEARER = "bearer"


def bearer_token(request: Request) -> str | None:
    """Return the token of `Authorization: Bearer`; None when the header is absent.

    Raises `InvalidToken` for another scheme or a malformed header, and `ValidationFailed` when an
    `X-API-Key` is sent too: RFC 6750, section 2, allows one method.
    """
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    if API_KEY_HEADER in request.headers:
        raise ValidationFailed("Send one credential: Authorization or X-API-Key, not both.")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != _BEARER or not token or " " in token:
        raise InvalidToken
    return str(token)
