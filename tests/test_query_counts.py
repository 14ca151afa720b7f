"""Statements of each call, counted on the wire with BEGIN and COMMIT: budgets that only shrink."""

import json
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Membership
from accounts.tests.factories import PASSWORD
from clients.models import Client
from conftest import ApiClient
from leads.models import Lead
from security.api_keys.services import issue_key
from security.rate_limits.settled import settled_counter
from tests.team_records import make_record
from tests.wire import statements_on_the_wire

# BEGIN, authentication (which opens the team), the statement itself, COMMIT; a change reads and
# locks the row first, and a search asks for the ids first.
BUDGETS = """
GET    /v1/clients                             4
GET    /v1/clients?limit=200                   4
GET    /v1/clients?status=active&ordering=lastName 4
GET    /v1/clients?q=Quill                     5
GET    /v1/clients?count=true                  5
GET    /v1/clients/{client}                    4
POST   /v1/clients                             4
PUT    /v1/clients/{client}                    5
PATCH  /v1/clients/{client}                    5
DELETE /v1/clients/{client}                    5
GET    /v1/leads                               4
GET    /v1/leads/{lead}                        4
POST   /v1/leads                               4
POST   /v1/leads/{lead}/convert                6
"""
# What is recorded about keys costs one statement behind the COMMIT, the mail to the owner one
# before it.
OF_USERS = """
GET    /v1/api-keys                            4
GET    /v1/api-keys/{key}                      4
POST   /v1/api-keys                            6
PATCH  /v1/api-keys/{key}                      5
POST   /v1/api-keys/{key}/rotate               9
GET    /v1/api-keys/{key}/usage                4
GET    /v1/team/members                        4
GET    /v1/team/members?q=ada                  4
GET    /v1/team/invitations                    4
GET    /v1/security/events                     4
GET    /v1/auth/events                         7
GET    /v1/auth/me                             1
GET    /v1/auth/verify                         1
GET    /v1/auth/sessions                       2
GET    /v1/auth/devices                        2
"""
BODIES = {
    "/v1/clients": {"firstName": "Ada"},
    "/v1/leads": {"firstName": "Ada"},
    "/v1/api-keys": {"name": "New", "scopes": {"clients": ["read"]}},
}
pytestmark = pytest.mark.django_db(transaction=True)


def rows_of(table: str) -> list[tuple[str, str, int]]:
    return [
        (method, path, int(budget))
        for method, path, budget in (line.split() for line in table.strip().splitlines())
    ]


def make_ids(owner: Membership) -> dict[str, object]:
    """Return new records for the ids of a path."""
    issued = issue_key(team_id=owner.team_id, owner_id=owner.user_id, name="K", scopes={})
    return {
        "client": make_record(Client, owner).pk,
        "lead": make_record(Lead, owner).pk,
        "key": issued.api_key.pk,
    }


def count_statements(client: ApiClient, method: str, path: str) -> list[str]:
    """Return the statements of a call that succeeds, made by a caller who called before."""
    assert client.get("/v1/clients?limit=1").status_code == 200
    body = BODIES.get("/".join(path.split("/")[:3]).partition("?")[0], {})
    data: Any = body
    if method == "PATCH" and "api-keys" in path:
        data = {"name": "Renamed"}
    elif path.endswith(("/convert", "/restore", "/rotate")):
        data = {}
    with statements_on_the_wire() as statements:
        response = client.generic(
            method,
            path,
            "" if method in {"GET", "DELETE"} else json.dumps(data),
            content_type="application/json",
        )
    assert response.status_code in {200, 201}, response.content
    return statements


def over_budget(client: ApiClient, owner: Membership, table: str) -> list[str]:
    """Return the calls of the table that need more than it grants, with their statements."""
    found = []
    for method, path, budget in rows_of(table):
        statements = count_statements(client, method, path.format(**make_ids(owner)))
        if len(statements) > budget:
            found.append(f"{method} {path}: {len(statements)} > {budget}: {statements}")
    return found


def test_a_user_stays_within_the_budget(as_alice: ApiClient, alice: Membership) -> None:
    assert over_budget(as_alice, alice, BUDGETS + OF_USERS.lstrip()) == []


def test_a_key_stays_within_the_budget(as_key: ApiClient, alice: Membership) -> None:
    assert over_budget(as_key, alice, BUDGETS) == []


@pytest.fixture
def sign_in_body(alice: Membership) -> dict[str, str]:
    return {"email": "alice@example.com", "password": PASSWORD, "tokenDelivery": "body"}


def test_a_refresh_stays_within_eight(as_stranger: ApiClient, sign_in_body: dict[str, str]) -> None:
    signed_in = as_stranger.post_json("/v1/auth/login", sign_in_body).json()["data"]
    with statements_on_the_wire() as statements:
        response = as_stranger.post_json(
            "/v1/auth/refresh", {"refreshToken": signed_in["refreshToken"]}
        )
    assert response.status_code == 200
    assert len(statements) <= 8, statements


def test_a_sign_in_stays_within_twenty(
    as_stranger: ApiClient, sign_in_body: dict[str, str]
) -> None:
    with statements_on_the_wire() as statements:
        response = as_stranger.post_json("/v1/auth/login", sign_in_body)
    assert response.status_code == 200
    assert len(statements) <= 20, statements


def test_health_asks_the_database_nothing(as_stranger: ApiClient) -> None:
    with statements_on_the_wire() as statements:
        assert as_stranger.get("/v1/health").status_code == 200
    assert statements == []


def test_a_made_up_credential_costs_no_statement(db: None) -> None:
    for credential in (None, "Bearer crm_made_up", "Bearer a.b.c", "Basic YTpi"):
        for path in ("/v1/clients", "/v1/auth/me"):
            settled_counter.forget()
            with statements_on_the_wire() as statements:
                assert ApiClient(credential).get(path).status_code == 401
            assert statements == []


def test_the_count_sees_begin_commit_and_raw_statements(alice: Membership) -> None:
    with (
        statements_on_the_wire() as statements,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        # Asked nowhere else: what is asked often is prepared, and then executed.
        cursor.execute("SELECT 1 AS seen_by_the_count")
        cursor.execute("SELECT %s::int", [1])
    assert [line.split("\t")[2] for line in statements] == ["Query", "Query", "Execute", "Query"]
