"""`/v1/api-keys`: a team's admins manage its keys. No key manages keys."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from crm.api.envelope import success
from crm.api.errors import Conflict, NotFound
from crm.api.pagination import keyset_response
from crm.api.parameters import read_count
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import DATE, INTEGER, array, record
from security.access.permissions import (
    FreshSignIn,
    HasRights,
    IsSignedInUser,
    RequiredRight,
    SecondFactorForKeys,
)
from security.access.roles import Right
from security.access.team_lists import team_list
from security.access.views import TeamScopedView
from security.api_keys import services
from security.api_keys.filters import ApiKeyFilterSet
from security.api_keys.serializers import (
    ApiKeySerializer,
    IssuedKeySerializer,
    RotationSerializer,
    issued_key_body,
)
from security.api_keys.usage import DEFAULT_DAYS, LONGEST_DAYS, usage_by_day
from security.models import ApiKey

RESOURCE = "api_keys"


class ApiKeyViewSet(ViewSetMixin, TeamScopedView):
    """The keys of the caller's team."""

    permission_classes: Sequence[type[BasePermission]] = (
        IsSignedInUser,
        HasRights,
        SecondFactorForKeys,
        FreshSignIn,
    )
    issuing_actions: ClassVar[Collection[str]] = ("create", "rotate")
    # Revoking is not among them: whoever sees a key misused ends it at once.
    fresh_actions: ClassVar[Collection[str]] = ("create", "partial_update", "rotate")
    serializer_class = ApiKeySerializer
    filterset_class = ApiKeyFilterSet
    ordering_fields: ClassVar[Mapping[str, str]] = {
        "createdAt": "created_at",
        "expiresAt": "expires_at",
    }
    required_rights: ClassVar[Mapping[str, Sequence[RequiredRight]]] = {
        "list": ((RESOURCE, Right.VIEW),),
        "retrieve": ((RESOURCE, Right.VIEW),),
        "create": ((RESOURCE, Right.CREATE),),
        "partial_update": ((RESOURCE, Right.EDIT),),
        "rotate": ((RESOURCE, Right.CREATE),),
        "destroy": ((RESOURCE, Right.DELETE),),
        "usage": ((RESOURCE, Right.VIEW),),
    }

    def rights_of_action(self) -> Sequence[RequiredRight]:
        return self.required_rights[self.action]

    def known_parameters(self) -> Collection[str] | None:
        if self.action == "usage":
            return ("days",)
        return None if self.action == "list" else ()

    def of_team(self) -> Any:
        """Return the keys of the caller's team."""
        return ApiKey.objects.for_team(self.actor.team_id)

    def list(self, request: Request) -> Response:
        """Answer one page of the team's keys, ended ones included."""
        source = team_list(self.of_team, request, self.filterset_class, self.actor)
        return keyset_response(request, self.serializer_class, self.ordering_fields, source)

    @describe(data=IssuedKeySerializer)
    def create(self, request: Request) -> Response:
        """Issue a key owned by the caller; the answer shows it once."""
        serializer = ApiKeySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        issued = services.issue_key(
            team_id=self.actor.team_id, owner_id=self.actor.user_id, **serializer.validated_data
        )
        return success(issued_key_body(issued.api_key, issued.written), status=201)

    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        """Answer one key."""
        row = self.of_team().filter(pk=pk).values_list(*ApiKeySerializer.sources()).first()
        if row is None:
            raise NotFound
        return success(ApiKeySerializer.row(row))

    @describe(
        data=array(record(date=DATE, requests=INTEGER, refused=INTEGER)),
        parameters={
            "days": {**INTEGER, "minimum": 1, "maximum": LONGEST_DAYS, "default": DEFAULT_DAYS}
        },
    )
    @action(detail=True, methods=["get"])
    def usage(self, request: Request, pk: uuid.UUID) -> Response:
        """Answer how often the key was used on each of the last days, today last."""
        days = read_count(request.query_params, "days", default=DEFAULT_DAYS, maximum=LONGEST_DAYS)
        found = usage_by_day(team_id=self.actor.team_id, api_key_id=pk, days=days)
        if not found:
            raise NotFound
        return success([day._asdict() for day in found])

    @describe(errors=(Conflict,))
    def partial_update(self, request: Request, pk: uuid.UUID) -> Response:
        """Change a key's name, scopes, end or networks."""
        api_key = services.lock_key(pk, team_id=self.actor.team_id)
        serializer = ApiKeySerializer(api_key, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        services.change_key(api_key=api_key, values=serializer.validated_data)
        return success(ApiKeySerializer.from_instance(api_key))

    @describe(data=ApiKeySerializer)
    def destroy(self, request: Request, pk: uuid.UUID) -> Response:
        """Revoke a key for good."""
        api_key = services.lock_key(pk, team_id=self.actor.team_id)
        services.revoke_key(api_key=api_key)
        return success(ApiKeySerializer.from_instance(api_key))

    @describe(body=RotationSerializer, data=IssuedKeySerializer, status=201, errors=(Conflict,))
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: uuid.UUID) -> Response:
        """Issue the key's successor; the answer shows it once."""
        serializer = RotationSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        old = services.lock_key(pk, team_id=self.actor.team_id)
        issued = services.rotate_key(api_key=old, overlap=serializer.validated_data["overlap"])
        return success(issued_key_body(issued.api_key, issued.written), status=201)
