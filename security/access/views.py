"""The one place that opens a team: views of team data run in one transaction that sees one team."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.db import transaction
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crm.api.errors import (
    InsufficientScope,
    MethodNotAllowed,
    PasswordChangeRequired,
    PermissionDenied,
    ReauthenticationRequired,
    SecondFactorRequired,
)
from crm.api.parameters import check_parameters
from security.access.permissions import HasRights, RequiredRight
from security.events.collector import record_event
from security.events.types import EventType
from security.rate_limits.throttles import RateLimitedView
from security.request.actors import Actor

DUTY_PATHS = "/v1/auth/"
_EVENT_OF_REFUSAL: Mapping[type[Exception], EventType] = {
    PermissionDenied: EventType.PERMISSION_DENIED,
    InsufficientScope: EventType.SCOPE_DENIED,
    PasswordChangeRequired: EventType.PASSWORD_CHANGE_DEMANDED,
    ReauthenticationRequired: EventType.FRESH_SIGN_IN_DEMANDED,
    SecondFactorRequired: EventType.MFA_DEMANDED,
}


class ApiView(RateLimitedView):
    """A view that tells an unsupported method apart before it asks who calls."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        method = (request.method or "").lower()
        if method not in self.http_method_names or not hasattr(self, method):
            raise MethodNotAllowed(headers={"Allow": ", ".join(self.allowed_methods)})
        super().initial(request, *args, **kwargs)
        known = self.known_parameters()
        if known is not None:
            check_parameters(request.query_params, known)

    def check_permissions(self, request: Request) -> None:
        """Hold back a caller with a duty from all but `/v1/auth/`, where it can be done."""
        duty = getattr(request.user, "duty", None)
        if duty is not None and not request.path_info.startswith(DUTY_PATHS):
            raise duty
        super().check_permissions(request)

    def handle_exception(self, exc: Exception) -> Any:
        """Record that a caller was refused a right; then answer."""
        event_type = _EVENT_OF_REFUSAL.get(type(exc))
        if event_type is not None and isinstance(self.request.user, Actor):
            details = getattr(exc, "details", None) or {}
            record_event(event_type, reason=str(exc), **details)
        return super().handle_exception(exc)

    @property
    def actor(self) -> Actor:
        """The authenticated caller; only behind a permission that refuses strangers."""
        return cast(Actor, self.request.user)

    def known_parameters(self) -> Collection[str] | None:
        """Return the query parameters of the current call; None leaves them to its filters.

        A token in a query string is thus refused like anything else (ASVS v5.0.0-14.2.1).
        """
        return ()


class TeamScopedView(ApiView):
    """A view whose handler runs in one transaction that authentication opens for one team.

    Authentication sets the team in the statement that loads the caller (crm.db.tenancy), so the
    transaction starts before it. An error answer rolls the transaction back.
    """

    permission_classes: Sequence[type[BasePermission]] = (HasRights,)
    required_rights: ClassVar[Mapping[str, Sequence[RequiredRight]]] = {}

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            return super().dispatch(request, *args, **kwargs)

    def rights_of_action(self) -> Sequence[RequiredRight]:
        """Return the (resource, right) pairs that the current call needs."""
        method = (self.request.method or "").lower()
        return self.required_rights["get" if method == "head" else method]
