"""`/v1/team/invitations` for a team's admins; `/v1/auth/accept-invitation` for who is invited."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from accounts.acting_user import acting_user
from accounts.models import Invitation, User
from accounts.team.filters import InvitationFilterSet
from accounts.team.invitations import (
    accept_invitation,
    find_invitation,
    invite,
    revoke_invitation,
)
from accounts.team.serializers import (
    AcceptInvitationSerializer,
    InvitationSerializer,
    InviteSerializer,
)
from crm.api.envelope import success
from crm.api.errors import Conflict, EmailNotVerified, RateLimited
from crm.api.pagination import ListSource, keyset_response
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import STRING, UUID, record
from security.access.permissions import FreshSignIn, HasRights, IsSignedInUser, RequiredRight
from security.access.roles import INVITATION_RESOURCE, Right, Role
from security.access.views import ApiView, TeamScopedView


class InvitationViewSet(ViewSetMixin, TeamScopedView):
    """The invitations of the caller's team."""

    permission_classes: Sequence[type[BasePermission]] = (
        IsSignedInUser,
        HasRights,
        FreshSignIn,
    )
    # Revoking is not among them: it opens nothing.
    fresh_actions: ClassVar[Collection[str]] = ("create",)
    serializer_class = InvitationSerializer
    filterset_class = InvitationFilterSet
    ordering_fields: ClassVar[Mapping[str, str]] = {"createdAt": "created_at"}
    required_rights: ClassVar[Mapping[str, Sequence[RequiredRight]]] = {
        "list": ((INVITATION_RESOURCE, Right.VIEW),),
        "create": ((INVITATION_RESOURCE, Right.CREATE),),
        "destroy": ((INVITATION_RESOURCE, Right.DELETE),),
    }

    def rights_of_action(self) -> Sequence[RequiredRight]:
        return self.required_rights[self.action]

    def known_parameters(self) -> Collection[str] | None:
        return None if self.action == "list" else ()

    def of_team(self) -> Any:
        """Return the invitations of the caller's team, as they are shown."""
        return Invitation.objects.for_team(self.actor.team_id).as_listed()

    def list(self, request: Request) -> Response:
        """Answer one page of the team's invitations, answered and ended ones included."""
        source = ListSource(Invitation, lambda: InvitationFilterSet.apply(self.of_team(), request))
        return keyset_response(request, InvitationSerializer, self.ordering_fields, source)

    @describe(
        body=InviteSerializer,
        data=InvitationSerializer,
        status=201,
        errors=(Conflict, EmailNotVerified, RateLimited),
    )
    def create(self, request: Request) -> Response:
        """Invite an address; an invitation that it has from the team before works no more."""
        serializer = InviteSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        invitation = invite(email=values["email"], role=Role(values["role"]), by=self.actor)
        return success(self._shown(invitation.pk), status=201)

    @describe(data=InvitationSerializer, errors=(Conflict,))
    def destroy(self, request: Request, pk: uuid.UUID) -> Response:
        """Revoke an invitation."""
        revoke_invitation(team_id=self.actor.team_id, invitation_id=pk)
        return success(self._shown(pk))

    def _shown(self, pk: uuid.UUID) -> dict[str, Any]:
        row = self.of_team().values_list(*InvitationSerializer.sources()).get(pk=pk)
        return InvitationSerializer.row(row)


class AcceptInvitationView(ApiView):
    """Join a team with the account that one has."""

    permission_classes = (IsSignedInUser,)

    @describe(
        body=AcceptInvitationSerializer,
        data=record(team=record(id=UUID, name=STRING), role=STRING),
        errors=(Conflict,),
    )
    def post(self, request: Request) -> Response:
        """Accept an invitation that was mailed to one's own address; switch-team opens the team."""
        serializer = AcceptInvitationSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = User.objects.get(pk=self.actor.user_id)
        with acting_user(request, user):
            invitation = find_invitation(
                serializer.validated_data["token"], email=user.email, field="token"
            )
            member = accept_invitation(invitation=invitation, user=user, field="token")
        team = invitation.team
        return success({"team": {"id": team.pk, "name": team.name}, "role": member.role})
