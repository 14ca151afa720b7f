"""What the database itself refuses, asked in plain SQL as the application role.

No ORM filter helps here: row-level security does it all.
"""

import uuid
from typing import Any

import pytest
from django.db import ProgrammingError, transaction

from accounts.models import Membership
from conftest import ApiClient
from crm.db.audit import WRITE_FUNCTION
from crm.db.isolation import TABLES_READ_BEFORE_THE_TEAM, team_tables
from crm.db.tenancy import set_context, team_context
from tests.plain_sql import execute, fetch_all, insert
from tests.team_records import (
    AUDIT_TABLES,
    COUNTING_TABLES,
    INVITATION_TABLES,
    TABLES,
    every_team_table,
    make_record,
    model_of,
    stored_rows,
)


@pytest.fixture
def ids(request: pytest.FixtureRequest, alice: Membership, mallory: Membership) -> dict[str, Any]:
    """A row of each team in the table of the test: `{"a": id, "b": id}`."""
    model = model_of(request.getfixturevalue("table"))
    own, foreign = make_record(model, alice), make_record(model, mallory)
    set_context(team_id="", all_teams="")
    return {"a": own.pk, "b": foreign.pk}


def test_every_team_table_of_the_catalogue_has_a_model_with_a_factory(db: None) -> None:
    # What is no record of a team is held in security/tests: test_event_isolation.py and others.
    tables = [table for table in team_tables() if not table.startswith("security_event")]
    assert sorted(tables) == sorted([*TABLES, *AUDIT_TABLES, *COUNTING_TABLES, *INVITATION_TABLES])


@every_team_table
def test_nobody_sees_a_row_without_a_team(table: str, ids: dict[str, Any]) -> None:
    assert fetch_all("SELECT 1 FROM {table}", table=table) == []


@pytest.mark.parametrize("value", ["off", "ON", "true", "1", " on", "on "])
@every_team_table
def test_only_one_word_opens_the_door_of_all_teams(
    table: str, value: str, ids: dict[str, Any]
) -> None:
    set_context(all_teams=value)
    assert fetch_all("SELECT 1 FROM {table}", table=table) == []


@every_team_table
def test_a_team_sees_its_own_rows_only(table: str, ids: dict[str, Any], alice: Membership) -> None:
    with team_context(alice.team_id):
        assert fetch_all("SELECT id, team_id FROM {table}", table=table) == [
            (ids["a"], alice.team_id)
        ]


@every_team_table
def test_a_team_named_by_no_uuid_is_an_error_not_an_opening(
    table: str, ids: dict[str, Any]
) -> None:
    set_context(team_id="' OR true --")
    with pytest.raises(Exception, match="invalid input syntax for type uuid"), transaction.atomic():
        fetch_all("SELECT 1 FROM {table}", table=table)


@pytest.mark.parametrize("change", ["UPDATE {table} SET created_at = now()", "DELETE FROM {table}"])
@every_team_table
def test_a_team_changes_its_own_rows_only(
    table: str, change: str, ids: dict[str, Any], alice: Membership
) -> None:
    before = stored_rows(table)[ids["b"]]
    with team_context(alice.team_id):
        assert execute(change, table=table) == 1
    assert stored_rows(table)[ids["b"]] == before


@every_team_table
def test_a_team_cannot_insert_for_another(
    table: str, ids: dict[str, Any], alice: Membership, mallory: Membership
) -> None:
    row = {**stored_rows(table)[ids["a"]], "created_by_id": None}
    with team_context(alice.team_id):
        assert insert(table, {**row, "id": str(uuid.uuid4())}) == 1
        with pytest.raises(ProgrammingError, match="row-level security"):
            insert(table, {**row, "id": str(uuid.uuid4()), "team_id": str(mallory.team_id)})


@every_team_table
def test_nobody_inserts_without_a_team(table: str, ids: dict[str, Any]) -> None:
    row = {**stored_rows(table)[ids["a"]], "id": str(uuid.uuid4())}
    with pytest.raises(ProgrammingError, match="row-level security"):
        insert(table, row)


@every_team_table
def test_a_team_cannot_hand_its_row_to_another(
    table: str, ids: dict[str, Any], alice: Membership, mallory: Membership
) -> None:
    with (
        team_context(alice.team_id),
        pytest.raises(ProgrammingError, match="row-level security"),
    ):
        execute("UPDATE {table} SET team_id = %s", [mallory.team_id], table=table)


@pytest.mark.parametrize("column", ["created_at = now()", "team_id = EXCLUDED.team_id"])
@every_team_table
def test_on_conflict_does_not_reach_another_teams_row(
    table: str, column: str, ids: dict[str, Any], alice: Membership
) -> None:
    before = stored_rows(table)[ids["b"]]
    row = {**before, "team_id": str(alice.team_id), "created_by_id": None}
    with (
        team_context(alice.team_id),
        pytest.raises(ProgrammingError, match="row-level security"),
    ):
        insert(table, row, suffix=f"ON CONFLICT (id) DO UPDATE SET {column}")
    assert stored_rows(table)[ids["b"]] == before


@every_team_table
def test_a_copy_into_a_team_table_is_refused(
    table: str, ids: dict[str, Any], alice: Membership
) -> None:
    with team_context(alice.team_id), pytest.raises(Exception, match="COPY FROM not supported"):
        execute("COPY {table} FROM STDIN", table=table)


# Functions that run with more rights than their caller's.


def test_functions_with_rights_of_their_own_are_the_searches_and_the_audit_only(db: None) -> None:
    found = fetch_all(
        "SELECT proname, pg_get_userbyid(proowner), proconfig::text,"
        " has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc"
        " WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )
    owners = {f"search_{table}": "crm_search" for table in TABLES}
    assert {name: owner for name, owner, *_ in found} == {**owners, WRITE_FUNCTION: "crm_audit"}
    for _, _, configuration, is_public in found:
        assert ", pg_temp" in configuration
        assert not is_public


@pytest.mark.parametrize("wanted", ["quill", "qiull", "%", ""])
@every_team_table
def test_a_search_finds_the_open_teams_rows_only(
    table: str, wanted: str, ids: dict[str, Any], alice: Membership
) -> None:
    call = "SELECT * FROM {function}(%s, %s, 100)"
    parameters, function = [f"%{wanted}%", wanted], f"search_{table}"
    assert fetch_all(call, parameters, function=function) == []
    with team_context(alice.team_id):
        assert {pk for (pk,) in fetch_all(call, parameters, function=function)} <= {ids["a"]}
        assert fetch_all(call, ["%quill%", "quill"], function=function) == [(ids["a"],)]


# What one transaction opened, the next one on the connection does not have.


@every_team_table
@pytest.mark.django_db(transaction=True)
def test_a_team_ends_with_its_transaction(table: str, alice: Membership) -> None:
    make_record(model_of(table), alice)
    with team_context(alice.team_id):
        assert len(fetch_all("SELECT 1 FROM {table}", table=table)) == 1
    assert fetch_all("SELECT 1 FROM {table}", table=table) == []
    with pytest.raises(ZeroDivisionError), team_context(alice.team_id):
        raise ZeroDivisionError
    assert fetch_all("SELECT 1 FROM {table}", table=table) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/clients", 200),
        ("/v1/clients?limit=none", 400),
        ("/v1/clients/00000000-0000-7000-8000-000000000000", 404),
        ("/v1/auth/me", 200),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_request_leaves_no_team_on_its_connection(
    as_alice: ApiClient, path: str, status: int
) -> None:
    before = fetch_all("SELECT pg_backend_pid()")
    assert as_alice.get(path).status_code == status
    left = fetch_all(
        "SELECT current_setting('app.team_id', true), current_setting('app.all_teams', true),"
        " current_setting('app.actor_id', true)"
    )
    assert {value or "" for value in left[0]} == {""}
    assert fetch_all("SELECT pg_backend_pid()") == before


@every_team_table
def test_switching_row_security_off_is_an_error_not_an_opening(
    table: str, ids: dict[str, Any]
) -> None:
    execute("SET LOCAL row_security = off")
    with pytest.raises(ProgrammingError, match="would be affected by row-level security"):
        execute("SELECT 1 FROM {table}", table=table)
    execute("SET LOCAL row_security = on")


def test_tables_read_before_the_team_are_no_team_tables(db: None) -> None:
    assert not TABLES_READ_BEFORE_THE_TEAM.intersection(team_tables())
