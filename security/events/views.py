"""`/v1/security/events` for a team's admins, `/v1/auth/events` for everybody's own."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from crm.api.pagination import ListSource, keyset_response
from crm.db.tenancy import context
from security.access.permissions import HasRights, IsSignedInUser, RequiredRight
from security.access.roles import Right
from security.access.views import ApiView, TeamScopedView
from security.events.filters import SecurityEventFilterSet
from security.events.models import SecurityEvent
from security.events.serializers import SecurityEventSerializer

ORDERING: Mapping[str, str] = {"createdAt": "created_at"}


class TeamEventViewSet(ViewSetMixin, TeamScopedView):
    """The security events of the caller's team."""

    permission_classes: Sequence[type[BasePermission]] = (IsSignedInUser, HasRights)
    serializer_class = SecurityEventSerializer
    filterset_class = SecurityEventFilterSet
    ordering_fields = ORDERING
    required_rights: ClassVar[Mapping[str, Sequence[RequiredRight]]] = {
        "list": (("security_events", Right.VIEW),),
    }

    def rights_of_action(self) -> Sequence[RequiredRight]:
        return self.required_rights[self.action]

    def known_parameters(self) -> Collection[str] | None:
        return None

    def list(self, request: Request) -> Response:
        """Answer one page of the team's security events."""
        return _page(request, SecurityEvent.objects.for_team(self.actor.team_id))


class OwnEventViewSet(ViewSetMixin, ApiView):
    """The security events about the signed-in user, in every team."""

    permission_classes: Sequence[type[BasePermission]] = (IsSignedInUser,)
    serializer_class = SecurityEventSerializer
    filterset_class = SecurityEventFilterSet
    ordering_fields = ORDERING

    def known_parameters(self) -> Collection[str] | None:
        return None

    def list(self, request: Request) -> Response:
        """Answer one page of the events about oneself."""
        user_id = self.actor.user_id
        # SECURITY: the one place that sets this; row-level security shows these rows by it.
        with context(own_events_of=str(user_id)):
            return _page(request, SecurityEvent.objects.of_user(user_id))


def _page(request: Request, events: Any) -> Response:
    events = events.without_staff_details()
    source = ListSource(SecurityEvent, lambda: SecurityEventFilterSet.apply(events, request))
    return keyset_response(request, SecurityEventSerializer, ORDERING, source)
