"""The role matrix and the scopes by themselves."""

import itertools
import uuid
from dataclasses import replace

import pytest

from accounts.models import Membership
from security.access.roles import (
    RECORD_RESOURCES,
    Right,
    Role,
    has_right,
    permissions_of,
    role_matrix,
)
from security.access.scopes import ACTION_OF_RIGHT, UnknownScope, allows, parse_scopes
from security.request.actors import ANONYMOUS, Actor, ActorKind, anonymous

# The contract, section 6: admin ⊃ manager ⊃ agent ⊃ data_entry.
RIGHTS = {
    Role.DATA_ENTRY: {"view", "create", "edit"},
    Role.AGENT: {"view", "create", "edit", "delete"},
    Role.MANAGER: {"view", "create", "edit", "delete", "import", "export", "bulk_edit"},
    Role.ADMIN: {right.value for right in Right},
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("resource", RECORD_RESOURCES)
def test_a_role_holds_what_the_contract_gives_it(role: Role, resource: str) -> None:
    assert {right.value for right in role_matrix()[role][resource]} == RIGHTS[role]
    assert set(permissions_of(role)[resource]) == RIGHTS[role]


def test_a_role_holds_everything_of_the_role_below() -> None:
    order = list(Role)
    for higher, lower in itertools.pairwise(order):
        for resource, rights in role_matrix()[lower].items():
            assert rights <= role_matrix()[higher][resource]


@pytest.mark.parametrize("role", list(Role))
def test_only_admins_manage_keys(role: Role) -> None:
    assert any(has_right(role, "api_keys", right) for right in Right) is (role is Role.ADMIN)
    assert ("api_keys" in permissions_of(role)) is (role is Role.ADMIN)


def test_an_unknown_resource_is_closed_to_everybody() -> None:
    assert not any(has_right(role, "payroll", right) for role in Role for right in Right)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({}, {}),
        ({"clients": []}, {}),
        ({"clients": ["write", "read", "read"]}, {"clients": ["read", "write"]}),
        ({"all": ["delete"]}, {"all": ["delete"]}),
    ],
)
def test_scopes_are_stored_in_one_form(
    sent: dict[str, list[str]], stored: dict[str, list[str]]
) -> None:
    assert parse_scopes(sent) == stored


@pytest.mark.parametrize(
    "sent",
    [
        {"api_keys": ["read"]},
        {"members": ["read"]},
        {"*": ["read"]},
        {"ALL": ["read"]},
        {"clients": ["*"]},
        {"clients": ["admin"]},
        {"clients": ["Read"]},
        {"clients": ["read", ""]},
    ],
)
def test_unknown_scopes_are_refused(sent: dict[str, list[str]]) -> None:
    with pytest.raises(UnknownScope, match="Unknown"):
        parse_scopes(sent)


def test_every_right_has_an_action() -> None:
    assert set(ACTION_OF_RIGHT) == set(Right)


def test_nothing_is_implied_by_a_scope() -> None:
    for right in Right:
        assert allows({"clients": ["write"]}, "clients", right) is (
            ACTION_OF_RIGHT[right] == "write"
        )
        assert not allows({"clients": ["read", "write", "delete"]}, "leads", right)
        assert not allows({}, "clients", right)


@pytest.mark.parametrize("right", list(Right))
def test_all_does_not_reach_what_manages_a_team(right: Right) -> None:
    everything = {"all": ["read", "write", "delete", "import", "export"]}
    assert allows(everything, "clients", right)
    assert not allows(everything, "api_keys", right)
    # Nor does a scope that was stored some other way.
    assert not allows({"api_keys": ["read", "write", "delete"]}, "api_keys", right)


@pytest.fixture
def actor(alice: Membership) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        id=uuid.uuid4(),
        label="alice",
        user_id=alice.user_id,
        team_id=alice.team_id,
        team_name="Harbor Realty",
        role=Role.AGENT,
    )


def test_a_user_is_judged_by_role_alone(actor: Actor) -> None:
    assert actor.is_user
    assert actor.has_scope("clients", Right.PURGE)
    assert actor.has_right("clients", Right.DELETE)
    assert not actor.has_right("clients", Right.PURGE)


def test_a_key_has_no_session(actor: Actor) -> None:
    session_id = uuid.uuid4()
    assert replace(actor, session_id=session_id).own_session_id == session_id
    with pytest.raises(TypeError, match="no session"):
        _ = actor.own_session_id


def test_nobody_is_anonymous() -> None:
    assert anonymous() is ANONYMOUS
    assert not ANONYMOUS.is_authenticated
