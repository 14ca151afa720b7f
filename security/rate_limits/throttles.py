"""Where DRF's views meet the general limits."""

from typing import Any, ClassVar

from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from crm.api.errors import ApiError
from security.rate_limits.general import check_general
from security.rate_limits.table import ANONYMOUS_LIMIT, API_LIMIT
from security.request.actors import ANONYMOUS, Actor, AnonymousActor


class RateLimitedView(APIView):
    """A view that counts its calls as soon as it is known who calls, before permissions are asked.

    DRF asks throttles after authentication and permissions: garbage tokens, strangers and callers
    without the right would be refused uncounted. `anonymous_limit` names the limit of callers who
    are not authenticated; None for a view that is never limited, such as a health check.
    `caller_limit` names that of signed-in users.
    """

    anonymous_limit: ClassVar[str | None] = ANONYMOUS_LIMIT
    caller_limit: ClassVar[str] = API_LIMIT

    def perform_authentication(self, request: Request) -> None:
        """Authenticate, and count the call against the caller, or against the address."""
        try:
            super().perform_authentication(request)
        except (ApiError, APIException):
            # A credential that did not prove right is none.
            check_general(request, ANONYMOUS, anonymous_limit=self.anonymous_limit)
            raise
        check_general(
            request,
            _caller(request),
            anonymous_limit=self.anonymous_limit,
            caller_limit=self.caller_limit,
        )


class GeneralThrottle(BaseThrottle):
    """The same count for views that are not `RateLimitedView`, such as those of packages."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Return True, or raise the limit's error."""
        anonymous_limit = getattr(view, "anonymous_limit", ANONYMOUS_LIMIT)
        check_general(request, _caller(request), anonymous_limit=anonymous_limit)
        return True


def _caller(request: Request) -> Actor | AnonymousActor:
    """Return what authentication found; DRF's stubs know Django's users only."""
    caller: Any = request.user
    return caller if isinstance(caller, Actor) else ANONYMOUS
