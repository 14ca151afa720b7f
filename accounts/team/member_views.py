"""`/v1/team/members`: a team's admins manage its members. No API key does."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from accounts.models import Membership
from accounts.team.filters import MemberFilterSet
from accounts.team.members import MemberChange, change_member, remove_member
from accounts.team.serializers import MemberChangeSerializer, MemberSerializer
from crm.api.envelope import success
from crm.api.errors import Conflict, NotFound
from crm.api.pagination import ListSource, keyset_response
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import UUID, record
from security.access.permissions import FreshSignIn, HasRights, IsSignedInUser, RequiredRight
from security.access.roles import MEMBER_RESOURCE, Right, Role
from security.access.views import TeamScopedView


class MemberViewSet(ViewSetMixin, TeamScopedView):
    """The members of the caller's team."""

    permission_classes: Sequence[type[BasePermission]] = (
        IsSignedInUser,
        HasRights,
        FreshSignIn,
    )
    fresh_actions: ClassVar[Collection[str]] = ("partial_update", "destroy")
    serializer_class = MemberSerializer
    filterset_class = MemberFilterSet
    ordering_fields: ClassVar[Mapping[str, str]] = {"createdAt": "created_at"}
    required_rights: ClassVar[Mapping[str, Sequence[RequiredRight]]] = {
        "list": ((MEMBER_RESOURCE, Right.VIEW),),
        "retrieve": ((MEMBER_RESOURCE, Right.VIEW),),
        "partial_update": ((MEMBER_RESOURCE, Right.EDIT),),
        "destroy": ((MEMBER_RESOURCE, Right.DELETE),),
    }

    def rights_of_action(self) -> Sequence[RequiredRight]:
        return self.required_rights[self.action]

    def known_parameters(self) -> Collection[str] | None:
        return None if self.action == "list" else ()

    def of_team(self) -> Any:
        """Return the members of the caller's team, as they are shown."""
        return Membership.objects.for_team(self.actor.team_id).as_listed()

    def list(self, request: Request) -> Response:
        """Answer one page of the team's members, deactivated ones included."""
        source = ListSource(Membership, lambda: MemberFilterSet.apply(self.of_team(), request))
        return keyset_response(request, MemberSerializer, self.ordering_fields, source)

    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        """Answer one member."""
        return success(self._shown(pk))

    @describe(body=MemberChangeSerializer, data=MemberSerializer, errors=(Conflict,))
    def partial_update(self, request: Request, pk: uuid.UUID) -> Response:
        """Give a member another role, deactivate them or activate them again."""
        serializer = MemberChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        role = serializer.validated_data.get("role")
        change = MemberChange(role and Role(role), serializer.validated_data.get("is_active"))
        change_member(team_id=self.actor.team_id, member_id=pk, change=change, by=self.actor)
        return success(self._shown(pk))

    @describe(data=record(id=UUID), errors=(Conflict,))
    def destroy(self, request: Request, pk: uuid.UUID) -> Response:
        """Take a member out of the team; their sessions and keys in it end for good."""
        remove_member(team_id=self.actor.team_id, member_id=pk, by=self.actor)
        return success({"id": pk})

    def _shown(self, pk: uuid.UUID) -> dict[str, Any]:
        row = self.of_team().filter(pk=pk).values_list(*MemberSerializer.sources()).first()
        if row is None:
            raise NotFound
        return MemberSerializer.row(row)
