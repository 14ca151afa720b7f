"""What the role that serves requests is not allowed to do at all."""

import pytest
from django.db import ProgrammingError

from tests.plain_sql import execute, fetch_all
from tests.team_records import every_team_table


def test_the_application_role_is_bound_by_row_level_security(db: None) -> None:
    rows = fetch_all(
        "SELECT current_user, session_user, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,"
        " rolreplication FROM pg_roles WHERE rolname = current_user"
    )
    assert rows == [("crm_app", "crm_app", False, False, False, False, False)]


def test_the_application_role_owns_nothing(db: None) -> None:
    assert fetch_all("SELECT relname FROM pg_class WHERE pg_has_role(relowner, 'MEMBER')") == []
    assert fetch_all("SELECT proname FROM pg_proc WHERE pg_has_role(proowner, 'MEMBER')") == []


def test_the_application_role_is_a_member_of_no_other(db: None) -> None:
    memberships = fetch_all(
        "SELECT rolname FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')"
    )
    assert memberships == [("crm_app",)]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE {table} ADD COLUMN loophole text",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "ALTER TABLE {table} OWNER TO crm_app",
        "DROP POLICY team_isolation ON {table}",
        "CREATE POLICY loophole ON {table} USING (true)",
        "CREATE RULE loophole AS ON SELECT TO {table} DO INSTEAD SELECT 1",
        "CREATE INDEX loophole ON {table} (id)",
        "TRUNCATE {table}",
        "DROP TABLE {table}",
    ],
)
@every_team_table
def test_the_application_role_cannot_open_a_table(db: None, table: str, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"must be owner|permission denied|must be able"):
        execute(statement, table=table)


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE crm_owner",
        "SET ROLE crm_search",
        "SET SESSION AUTHORIZATION crm_owner",
        "SET session_replication_role = replica",
        "ALTER ROLE crm_app BYPASSRLS",
        "CREATE ROLE loophole SUPERUSER",
        "CREATE TABLE public.loophole (id int)",
        "CREATE FUNCTION public.loophole() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1",
        "CREATE EXTENSION dblink",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('pg_hba.conf')",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
    ],
)
def test_the_application_role_cannot_rise(db: None, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be|only roles"):
        execute(statement)
