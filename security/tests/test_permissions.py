"""The permission classes and the views that stand on them."""

from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from accounts.models import Membership
from accounts.tests.factories import access_token
from clients.views import ClientViewSet
from conftest import ApiClient
from crm.api.errors import InsufficientScope, PermissionDenied
from security.access.permissions import require_right
from security.access.roles import Right, Role
from security.access.views import ApiView, TeamScopedView
from security.request.actors import Actor, ActorKind


def actor_of(member: Membership, **fields: Any) -> Actor:
    values: dict[str, Any] = {
        "kind": ActorKind.API_KEY,
        "id": member.user_id,
        "label": "Key",
        "user_id": member.user_id,
        "team_id": member.team_id,
        "team_name": "Team",
        "role": Role.AGENT,
        "scopes": {"clients": ["read", "delete"]},
    }
    return Actor(**(values | fields))


def test_a_missing_scope_is_told_before_a_missing_role(alice: Membership) -> None:
    key = actor_of(alice)
    require_right(key, "clients", Right.DELETE)
    with pytest.raises(InsufficientScope) as refusal:
        require_right(key, "clients", Right.CREATE)
    assert refusal.value.details == {"requiredScope": ["clients:write"]}
    with pytest.raises(PermissionDenied, match="agent may not purge clients"):
        require_right(key, "clients", Right.PURGE)


class Undeclared(ApiView):
    """A view whose author forgot to say who may call it."""

    def get(self, request: Any) -> Response:
        return Response({})


class WithoutRights(TeamScopedView):
    """A view of team data whose author forgot its rights."""

    def get(self, request: Any) -> Response:
        return Response({})


def call(view: Any, member: Membership) -> Any:
    request: Any = APIRequestFactory().get(
        "/", headers={"Authorization": f"Bearer {access_token(member)}"}
    )
    request.request_id, request.client_ip, request.after_response = "12345678", "127.0.0.1", []
    return view.as_view()(request)


def test_a_forgotten_permission_closes_the_view_to_an_admin(alice: Membership) -> None:
    assert call(Undeclared, alice).status_code == 403


def test_a_forgotten_right_closes_the_view_to_an_admin(alice: Membership) -> None:
    with pytest.raises(KeyError):
        call(WithoutRights, alice)


def test_a_forgotten_right_of_an_action_closes_it_to_an_admin(
    as_alice: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("records.viewsets.RIGHT_OF_ACTION", {})
    assert as_alice.get("/v1/clients").status_code == 500
    monkeypatch.setattr(ClientViewSet, "required_rights", {"list": (("clients", Right.VIEW),)})
    assert as_alice.get("/v1/clients").status_code == 200
