"""The records of a team over HTTP: a resource is a `RecordViewSet`; see CONTRIBUTING.md."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from crm.api.envelope import success
from crm.api.errors import NotFound
from crm.api.filters import RecordFilterSet
from crm.api.pagination import keyset_response
from crm.api.parameters import read_flag
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import BOOLEAN
from crm.api.serializers import StrictModelSerializer, refuse_body
from crm.db.statements import fetch_kept
from records import services as records
from records.models import TeamModel, TeamQuerySet
from security.access.permissions import RequiredRight, require_right
from security.access.roles import Right
from security.access.team_lists import team_list
from security.access.views import TeamScopedView
from security.audit.models import AuditEntry
from security.audit.views import history_listing, history_response
from security.request.actors import Actor

RIGHT_OF_ACTION: Mapping[str, Right] = {
    "list": Right.VIEW,
    "create": Right.CREATE,
    "retrieve": Right.VIEW,
    "update": Right.EDIT,
    "partial_update": Right.EDIT,
    "destroy": Right.DELETE,
    "restore": Right.DELETE,
    "history": Right.VIEW,
}


def shown_to(
    actor: Actor, resource: str, serializer_class: type[StrictModelSerializer], record: TeamModel
) -> dict[str, Any]:
    """Return a record as the actor may see it: nothing but its id without the right to view."""
    if actor.has_right(resource, Right.VIEW):
        return serializer_class.from_instance(record)
    return {"id": record.pk}


class RecordViewSet(ViewSetMixin, TeamScopedView):
    """List, create, read, change, delete and restore the records of one team."""

    resource: ClassVar[str]
    serializer_class: ClassVar[type[StrictModelSerializer]]
    filterset_class: ClassVar[type[RecordFilterSet]]
    ordering_fields: ClassVar[Mapping[str, str]]

    def rights_of_action(self) -> Sequence[RequiredRight]:
        if self.action in self.required_rights:
            return self.required_rights[self.action]
        # SECURITY: an action that declares no right is answered to nobody (KeyError).
        return ((self.resource, RIGHT_OF_ACTION[self.action]),)

    def known_parameters(self) -> Collection[str] | None:
        if self.action in ("list", "history"):
            return None
        return ("permanent",) if self.action == "destroy" else ()

    @property
    def model(self) -> type[TeamModel]:
        """The model of this resource's records."""
        model: type[TeamModel] = self.serializer_class.Meta.model
        return model

    def of_team(self) -> TeamQuerySet:
        """Return all records of the caller's team, deleted ones included."""
        queryset: TeamQuerySet = self.model.objects.for_team(self.actor.team_id)
        return queryset

    def lock(self, queryset: TeamQuerySet, pk: uuid.UUID) -> Any:
        """Return one of the team's records for a change; raises `NotFound`."""
        return records.lock_record(queryset, team_id=self.actor.team_id, pk=pk)

    def shown(self, record: TeamModel) -> dict[str, Any]:
        """Return a changed record, or only its id to a key that may write but not read."""
        return shown_to(self.actor, self.resource, self.serializer_class, record)

    def list(self, request: Request) -> Response:
        """Answer one page of the team's records."""
        source = team_list(self.of_team, request, self.filterset_class, self.actor)
        return keyset_response(request, self.serializer_class, self.ordering_fields, source)

    def create(self, request: Request) -> Response:
        """Make a record of the caller's team."""
        serializer = self.serializer_class(data=request.data)
        serializer.is_valid(raise_exception=True)
        record = records.create_record(
            actor=self.actor, model=self.model, values=serializer.validated_data
        )
        return success(self.serializer_class.from_instance(record), status=201)

    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        """Answer one record."""
        sources = self.serializer_class.sources()
        rows = fetch_kept(
            (self.serializer_class, "retrieve"),
            (self.actor.team_id, pk),
            lambda: self.of_team().filter(pk=pk).present().order_by().values_list(*sources),
        )
        if not rows:
            raise NotFound
        return success(self.serializer_class.row(rows[0]))

    def update(self, request: Request, pk: uuid.UUID) -> Response:
        """Replace a record: what the body does not name goes back to its default."""
        return self._change(request, pk, partial=False)

    def partial_update(self, request: Request, pk: uuid.UUID) -> Response:
        """Change the fields that the body names."""
        return self._change(request, pk, partial=True)

    def _change(self, request: Request, pk: uuid.UUID, *, partial: bool) -> Response:
        record = self.lock(self.of_team().present(), pk)
        serializer = self.serializer_class(record, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        records.update_record(record=record, values=serializer.validated_data)
        return success(self.shown(record))

    @describe(parameters={"permanent": BOOLEAN})
    def destroy(self, request: Request, pk: uuid.UUID) -> Response:
        """Delete a record so that it can be restored, or for good with `permanent=true`."""
        if read_flag(request.query_params, "permanent"):
            require_right(self.actor, self.resource, Right.PURGE)
            records.purge_record(record=self.lock(self.of_team(), pk))
        else:
            records.delete_record(record=self.lock(self.of_team().present(), pk))
        return success({"id": pk})

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: uuid.UUID) -> Response:
        """Bring a deleted record back."""
        refuse_body(request)
        record = self.lock(self.of_team(), pk)
        records.restore_record(record=record)
        return success(self.shown(record))

    @describe(**history_listing())
    @action(detail=True, methods=["get"])
    def history(self, request: Request, pk: uuid.UUID) -> Response:
        """Answer one page of what was done to a record, also to a deleted one."""
        if not self.of_team().filter(pk=pk).exists():
            raise NotFound
        entries = AuditEntry.objects.for_team(self.actor.team_id)
        return history_response(request, lambda: entries.of_resource(self.resource, pk))
