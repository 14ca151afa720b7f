"""A database that does not wall teams off is named, and not served.

The owner opens something in a transaction that is rolled back at the end of the test.
"""

from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from conftest import ApiClient
from crm.api.readiness import forget_readiness
from crm.db import isolation
from crm.db.isolation import (
    TABLES_READ_BEFORE_THE_TEAM,
    isolation_problems,
    refuse_open_database,
    team_tables,
)
from crm.db.owner import as_owner
from crm.management.commands.migrate import Command as MigrateCommand
from tests.plain_sql import execute, fetch_all
from tests.team_records import every_team_table

Alter = Callable[[str], int]


@pytest.fixture
def as_table_owner(
    django_db_setup: None, counter_connections: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Alter]:
    """Run statements as the owner of the tables; all of it is taken back."""
    forget_readiness()
    with django_db_blocker.unblock(), as_owner(), transaction.atomic():
        yield execute
        transaction.set_rollback(True)
    forget_readiness()


OPENINGS = [
    ("DROP POLICY team_isolation ON {table}", "the policy team_isolation is missing"),
    ("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY", "not enabled and forced"),
    ("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", "not enabled and forced"),
    ("CREATE POLICY loophole ON {table} USING (true)", "loophole shows rows of every team"),
    (
        "CREATE POLICY loophole ON {table} FOR INSERT TO crm_app WITH CHECK (true)",
        "loophole shows rows of every team",
    ),
    ("ALTER POLICY team_isolation ON {table} USING (true)", "team_isolation is missing"),
    ("ALTER POLICY team_isolation ON {table} WITH CHECK (true)", "team_isolation is missing"),
    ("ALTER POLICY team_isolation ON {table} TO crm_search", "team_isolation is missing"),
    ("ALTER POLICY all_teams_door ON {table} USING (true)", "all_teams_door shows rows"),
]
every_opening = pytest.mark.parametrize(
    ("statement", "problem"), OPENINGS, ids=[statement for statement, _ in OPENINGS]
)


def test_a_migrated_database_has_no_problem(db: None) -> None:
    assert isolation_problems() == []
    refuse_open_database()
    call_command("check", databases=["default"])


def test_only_what_is_read_before_the_team_is_known_is_left_out(db: None) -> None:
    assert {
        "accounts_membership",
        "accounts_session",
        "security_apikey",
    } == TABLES_READ_BEFORE_THE_TEAM
    with_team = fetch_all(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'team_id' AND c.relkind IN ('r', 'p')"
    )
    assert {name for (name,) in with_team} == TABLES_READ_BEFORE_THE_TEAM.union(team_tables())


@every_opening
@every_team_table
def test_an_opened_table_is_named(
    as_table_owner: Alter, table: str, statement: str, problem: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("{table}", table))
    problems = isolation_problems()
    assert any(problem in line and f"Table {table}:" in line for line in problems), problems


@every_team_table
def test_an_opened_table_stops_the_start(as_table_owner: Alter, table: str) -> None:
    as_table_owner(f"DROP POLICY team_isolation ON {table}")
    with pytest.raises(SystemExit, match=table):
        refuse_open_database()
    with pytest.raises(SystemCheckError, match=r"crm\.E001.*policy team_isolation"):
        call_command("check", databases=["default"])


@every_team_table
def test_an_opened_table_can_still_be_migrated(as_table_owner: Alter, table: str) -> None:
    as_table_owner(f"DROP POLICY team_isolation ON {table}")
    checked = MigrateCommand().get_check_kwargs({"database": "default", "skip_checks": False})
    call_command("check", databases=checked["databases"])


@every_team_table
def test_an_opened_table_is_not_ready(as_table_owner: Alter, table: str) -> None:
    assert ApiClient().get("/v1/health/ready").json()["data"]["checks"]["isolation"] == "ok"
    as_table_owner(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    forget_readiness()
    response = ApiClient().get("/v1/health/ready")
    assert response.status_code == 503
    assert response.json()["error"]["details"]["isolation"] == ["failing"]
    assert table not in response.content.decode()


def test_a_new_table_with_a_team_and_without_a_policy_is_named(as_table_owner: Alter) -> None:
    as_table_owner("CREATE TABLE forgotten (id int, team_id uuid)")
    assert isolation_problems() == [
        "Table forgotten: row-level security is not enabled and forced.",
        "Table forgotten: the policy team_isolation is missing.",
    ]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("CREATE VIEW leak AS SELECT * FROM clients_client", "View leak: shows its owner's rows"),
        (
            "CREATE MATERIALIZED VIEW leak AS SELECT * FROM clients_client",
            "Relation leak: row-level security cannot guard",
        ),
    ],
)
def test_a_view_past_row_level_security_is_named(
    as_table_owner: Alter, statement: str, problem: str
) -> None:
    as_table_owner(statement)
    assert [line.startswith(problem) for line in isolation_problems()] == [True]


def test_a_view_with_the_callers_rights_is_fine(as_table_owner: Alter) -> None:
    as_table_owner("CREATE VIEW fine WITH (security_invoker = true) AS SELECT * FROM leads_lead")
    assert isolation_problems() == []


def test_a_role_that_owns_the_tables_is_named(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "application_role", lambda: "crm_owner")
    assert [line for line in isolation_problems() if "owns tables" in line]


def test_a_role_past_row_level_security_is_named(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    superuser = fetch_all("SELECT rolname FROM pg_roles WHERE rolsuper AND rolbypassrls")[0][0]
    monkeypatch.setattr(isolation, "application_role", lambda: superuser)
    problems = " ".join(isolation_problems())
    assert "is a superuser" in problems
    assert "has BYPASSRLS" in problems


def test_a_role_that_does_not_exist_is_named(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "application_role", lambda: "nobody_at_all")
    assert [line for line in isolation_problems() if "does not exist" in line]
