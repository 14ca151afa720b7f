"""Reads the catalogue and tells what is open: the start, readiness and a test ask it.

A table with a `team_id` and without forced row-level security, or a role that row-level security
does not bind, is a reason not to serve.
"""

from collections.abc import Iterator

from django.db import connection

from crm.db.grants import application_role
from crm.env import env

# Read before the team is known: by the token's session, the key's id, the user's memberships.
TABLES_READ_BEFORE_THE_TEAM = frozenset(
    {"accounts_membership", "accounts_session", "security_apikey"}
)

_TEAM_TABLES = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
           EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid
                    AND p.polname = 'team_isolation'
                    AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL)
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'team_id' AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
     ORDER BY c.relname
"""
_ROLE = """
    SELECT rolsuper, rolbypassrls,
           EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p')
                    AND c.relnamespace = 'public'::regnamespace)
      FROM pg_roles r WHERE rolname = coalesce(nullif(%s, ''), current_user)
"""


def isolation_problems() -> list[str]:
    """Return one line for each reason why teams are not walled off; none when they are."""
    return [*_table_problems(), *_role_problems()]


def refuse_open_database() -> None:
    """Stop the start of a server on a database that does not wall teams off."""
    if problems := isolation_problems():
        raise SystemExit("\n".join(problems))


def team_tables() -> list[str]:
    """Return the tables that row-level security must guard."""
    with connection.cursor() as cursor:
        cursor.execute(_TEAM_TABLES)
        names = [name for name, _, _ in cursor.fetchall()]
    return [name for name in names if name not in TABLES_READ_BEFORE_THE_TEAM]


def _table_problems() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TEAM_TABLES)
        rows = cursor.fetchall()
    for name, is_forced, has_policy in rows:
        if name in TABLES_READ_BEFORE_THE_TEAM:
            continue
        if not is_forced:
            yield f"Table {name}: row-level security is not enabled and forced."
        if not has_policy:
            yield f"Table {name}: the policy team_isolation is missing."


def _role_problems() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_ROLE, [application_role()])
        is_superuser, bypasses_rls, owns_tables = cursor.fetchone()
    if is_superuser:
        yield "The application role is a superuser: row-level security does not bind it."
    if bypasses_rls:
        yield "The application role has BYPASSRLS: row-level security does not bind it."
    if owns_tables and env.database_owner_url != env.database_url:
        yield "The application role owns tables, although DATABASE_OWNER_URL names an owner."
