"""Role, route and method: a user may do what the table says, from the next call on."""

from collections.abc import Mapping

import pytest

from accounts.models import Membership
from security.access.roles import Role
from tests.role_table import (
    PUBLIC,
    RECORDS,
    ROWS,
    WAYS_TO_LEAVE,
    Row,
    call,
    code_of,
    set_stage,
    try_call,
)
from tests.routes import api_routes


def _id_name(pattern: str, names: Mapping[str, str]) -> str:
    """Return what stands for the id of a route, by the collection that the path goes through."""
    parts = pattern.split("/")[2:4]
    return next((names[part] for part in parts if part in names), "")


def test_every_route_and_method_stands_in_a_table() -> None:
    written = {f"{row.method} {row.path.partition('?')[0]}" for row in ROWS}
    written |= {" ".join(line.split()) for line in PUBLIC.strip().splitlines()}
    names = {
        "api-keys": "{key}",
        "sessions": "{session}",
        "devices": "{device}",
        "passkeys": "{passkey}",
    }
    names |= {"members": "{member}", "invitations": "{invitation}", "passkeys": "{passkey}"}
    names |= {name: f"{{{model.__name__.lower()}}}" for name, model in RECORDS.items()}
    served = {
        f"{method} {route.path(_id_name(route.pattern, names))}"
        for route in api_routes()
        for method in route.methods
    }
    assert served == written


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_the_table_says(alice: Membership, role: Role) -> None:
    stage = set_stage(alice, role)
    wrong = []
    for row in ROWS:
        response = try_call(stage.client, row, stage)
        expected = {200, 201} if row.allows(role) else {403}
        codes = {"OK"} if row.allows(role) else {"PERMISSION_DENIED"}
        if response.status_code not in expected or code_of(response) not in codes:
            wrong.append(f"{row}: {response.status_code} {response.content!r}")
    assert wrong == []


@pytest.mark.parametrize("row", [row for row in ROWS if not row.allows(Role.DATA_ENTRY)], ids=str)
def test_a_changed_role_counts_from_the_next_call_on(alice: Membership, row: Row) -> None:
    stage = set_stage(alice, Role.ADMIN)
    client, places = stage.client, Membership.objects.filter(pk=stage.member.pk)
    places.update(role=Role.DATA_ENTRY)
    assert code_of(call(client, row, stage)) == "PERMISSION_DENIED"
    places.update(role=Role.ADMIN)
    assert code_of(call(client, row, stage)) == "OK"


@pytest.mark.parametrize("way", WAYS_TO_LEAVE)
def test_a_member_who_left_can_do_nothing_from_the_next_call_on(
    alice: Membership, way: str
) -> None:
    stage = set_stage(alice, Role.ADMIN)
    client = stage.client
    assert client.get("/v1/auth/me").status_code == 200
    WAYS_TO_LEAVE[way](stage.member)
    answers = {(r.status_code, code_of(r)) for r in (call(client, row, stage) for row in ROWS)}
    assert answers == {(401, "SESSION_REVOKED")}


def test_a_refused_call_changes_nothing(alice: Membership) -> None:
    stage = set_stage(alice, Role.DATA_ENTRY)
    path = f"/v1/clients/{stage.ids['client']}"
    before = stage.client.get(path).json()
    assert stage.client.delete(path).status_code == 403
    assert stage.client.get(path).json() == before
