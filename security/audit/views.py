"""`/v1/audit-logs`: what was done in a team, for its admins; and the history of one record."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from crm.api.errors import ValidationFailed
from crm.api.pagination import ListSource, keyset_response
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import STRING, one_of
from crm.api.schema.parameters import filter_schemas
from security.access.permissions import FreshSignIn, HasRights, IsSignedInUser, RequiredRight
from security.access.roles import Right
from security.access.views import TeamScopedView
from security.audit.export import FORMATS, read_entries
from security.audit.filters import AuditFilterSet, ExportFilterSet, HistoryFilterSet
from security.audit.models import AuditEntry, AuditQuerySet
from security.audit.serializers import AuditEntrySerializer

RESOURCE = "audit_logs"
ORDERING_FIELDS: Mapping[str, str] = {"createdAt": "created_at"}


class AuditLogViewSet(ViewSetMixin, TeamScopedView):
    """The audit trail of the caller's team. No key reads it: it tells of all resources."""

    permission_classes: Sequence[type[BasePermission]] = (
        IsSignedInUser,
        HasRights,
        FreshSignIn,
    )
    fresh_actions: ClassVar[Collection[str]] = ("export",)
    serializer_class = AuditEntrySerializer
    filterset_class = AuditFilterSet
    ordering_fields = ORDERING_FIELDS
    required_rights: ClassVar[Mapping[str, Sequence[RequiredRight]]] = {
        "list": ((RESOURCE, Right.VIEW),),
        "export": ((RESOURCE, Right.VIEW),),
    }

    def rights_of_action(self) -> Sequence[RequiredRight]:
        return self.required_rights[self.action]

    def known_parameters(self) -> Collection[str] | None:
        return None

    def of_team(self) -> AuditQuerySet:
        """Return the entries of the caller's team."""
        entries: AuditQuerySet = AuditEntry.objects.for_team(self.actor.team_id)
        return entries

    def list(self, request: Request) -> Response:
        """Answer one page of what was done in the team."""
        source = ListSource(AuditEntry, lambda: AuditFilterSet.apply(self.of_team(), request))
        return keyset_response(request, AuditEntrySerializer, ORDERING_FIELDS, source)

    @describe(
        parameters={
            "format": one_of(*FORMATS),
            **filter_schemas(ExportFilterSet),
        },
        media={media.partition(";")[0]: STRING for media, _ in FORMATS.values()},
    )
    @action(detail=False, methods=["get"])
    def export(self, request: Request) -> StreamingHttpResponse:
        """Answer all entries that the filters keep, as a file: CSV, or one JSON object a line."""
        entries = ExportFilterSet.apply(self.of_team(), request)
        chosen = request.query_params.get("format", "csv")
        if chosen not in FORMATS:
            raise ValidationFailed(details={"format": [f"Must be one of: {', '.join(FORMATS)}."]})
        media, write = FORMATS[chosen]
        lines = write(read_entries(self.actor.team_id, entries))
        return StreamingHttpResponse(
            lines, content_type=media, headers={"Content-Disposition": _disposition(chosen)}
        )


def history_response(request: Request, entries: Callable[[], AuditQuerySet]) -> Response:
    """Answer one page of the entries about one record."""
    source = ListSource(AuditEntry, lambda: HistoryFilterSet.apply(entries(), request))
    return keyset_response(request, AuditEntrySerializer, ORDERING_FIELDS, source)


def _disposition(extension: str) -> str:
    # The name is ours alone: nothing that a caller wrote is in it.
    return f'attachment; filename="audit-log-{timezone.now():%Y-%m-%d}.{extension}"'


def history_listing() -> dict[str, Any]:
    """Return how `describe` tells of a page of history."""
    return {"data": AuditEntrySerializer, "page": (HistoryFilterSet, ORDERING_FIELDS)}
