"""The cookie by which a browser is known: one token for each person who signed in on it."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponseBase

from accounts.devices.tokens import DeviceToken, read_token
from accounts.models.device import DEVICE_LIFETIME
from crm.env import env

COOKIE_NAME = "__Host-deviceId" if env.cookie_secure else "deviceId"
# People who share a browser; who has not signed in on it for longest is forgotten first.
MOST_PEOPLE = 8
_SEPARATOR = "."


def tokens_in_cookie(request: HttpRequest) -> list[DeviceToken]:
    """Return the tokens that the browser sent, the last used first."""
    raw = request.COOKIES.get(COOKIE_NAME, "")
    found = [read_token(part) for part in raw.split(_SEPARATOR, MOST_PEOPLE)[:MOST_PEOPLE]]
    return [token for token in found if token is not None]


def set_device_cookie(
    response: HttpResponseBase, token: DeviceToken, held: Sequence[DeviceToken] = ()
) -> None:
    """Give the browser its token, beside those that it holds for other people."""
    others = [other for other in held if other.user_id != token.user_id]
    response.set_cookie(
        COOKIE_NAME,
        _SEPARATOR.join(str(kept) for kept in [token, *others][:MOST_PEOPLE]),
        max_age=int(DEVICE_LIFETIME.total_seconds()),
        path="/",
        # The __Host- prefix forbids a domain.
        domain=None if env.cookie_secure else env.cookie_domain,
        secure=env.cookie_secure,
        httponly=True,
        samesite=env.cookie_samesite,  # type: ignore[arg-type]  # parsed to one of the three
    )
