"""A key can do what its scopes and its owner's present role both allow; nothing is implied."""

import json

import pytest

from accounts.models import Membership
from accounts.tests.factories import make_member
from conftest import ApiClient
from security.access.roles import Role
from security.api_keys.services import issue_key
from tests.role_table import ROWS, WAYS_TO_LEAVE, Row, code_of, set_stage, try_call

Scopes = dict[str, list[str]]

ACTIONS = {"r": "read", "w": "write", "d": "delete"}
EVERYTHING: Scopes = {"all": ["read", "write", "delete"]}
SCOPES: list[Scopes] = [
    {},
    {"clients": ["read"]},
    {"clients": ["write"]},
    {"clients": ["delete"]},
    {"leads": ["read"]},
    {"leads": ["write"]},
    {"leads": ["delete"]},
    {"clients": ["write"], "leads": ["write"]},
    {"all": ["read"]},
    {"all": ["write"]},
    {"all": ["delete"]},
    EVERYTHING,
]


def key_client(owner: Membership, scopes: Scopes) -> ApiClient:
    issued = issue_key(team_id=owner.team_id, owner_id=owner.user_id, name="Key", scopes=scopes)
    return ApiClient(f"Bearer {issued.written}")


def needed_resources(row: Row) -> list[str]:
    """Return the resources on which the call needs its action; a conversion makes a client."""
    return ["leads", "clients"] if row.path.endswith("/convert") else [row.resource]


def expected_code(row: Row, scopes: Scopes, role: Role) -> str:
    """Return the code that the table and the scopes promise to a key."""
    if row.key == "n":
        return "PERMISSION_DENIED"
    for resource in needed_resources(row):
        if ACTIONS[row.key] not in {*scopes.get(resource, []), *scopes.get("all", [])}:
            return "INSUFFICIENT_SCOPE"
    return "OK" if row.allows(role) else "PERMISSION_DENIED"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AGENT, Role.DATA_ENTRY])
@pytest.mark.parametrize("scopes", SCOPES, ids=json.dumps)
def test_a_key_may_do_what_its_scopes_and_its_owners_role_allow(
    alice: Membership, scopes: Scopes, role: Role
) -> None:
    stage = set_stage(alice, role)
    client = key_client(stage.member, scopes)
    found = {str(row): code_of(try_call(client, row, stage)) for row in ROWS}
    assert found == {str(row): expected_code(row, scopes, role) for row in ROWS}


def test_a_demoted_owners_key_loses_his_rights_at_once(alice: Membership) -> None:
    stage = set_stage(alice, Role.AGENT)
    client, places = (
        key_client(stage.member, EVERYTHING),
        Membership.objects.filter(pk=stage.member.pk),
    )
    path = f"/v1/clients/{stage.ids['client']}"
    places.update(role=Role.DATA_ENTRY)
    assert code_of(client.delete(path)) == "PERMISSION_DENIED"
    places.update(role=Role.AGENT)
    assert client.delete(path).status_code == 200


@pytest.mark.parametrize("way", WAYS_TO_LEAVE)
def test_the_key_of_an_owner_who_left_opens_nothing(alice: Membership, way: str) -> None:
    member = make_member(alice.team, "member@example.com", Role.ADMIN)
    client = key_client(member, EVERYTHING)
    assert client.get("/v1/clients").status_code == 200
    WAYS_TO_LEAVE[way](member)
    response = client.get("/v1/clients")
    assert (response.status_code, code_of(response)) == (401, "INVALID_API_KEY")


def test_a_key_is_told_which_scope_it_lacks(alice: Membership) -> None:
    client = key_client(alice, {"clients": ["read"]})
    response = client.post_json("/v1/clients", {"firstName": "A"})
    assert response.json()["error"]["details"] == {"requiredScope": ["clients:write"]}
    assert 'scope="clients:write"' in response.headers["WWW-Authenticate"]
