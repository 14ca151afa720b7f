"""What the application role may do with the tables: read and write rows, nothing else.

Given after each migrate by the owner; an application role that is the owner needs no grant.
"""

from typing import Any

import environ
from django.apps import AppConfig
from django.db import connections, transaction
from psycopg import sql

from crm.env import env

_SEARCH_FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
     WHERE r.rolname = 'crm_search'
"""


# Migrations are the owner's; the trail is its triggers' and its sealer's. The application reads.
_READ_ONLY = (
    "django_migrations",
    "security_auditentry",
    "security_auditlink",
    "security_audithead",
)


def grant_application_role(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Grant the role of DATABASE_URL its rights on tables and sequences (post_migrate)."""
    role = application_role()
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if role in {"", cursor.fetchone()[0]}:
            return
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
        ):
            cursor.execute(sql.SQL(statement).format(sql.Identifier(role)).as_string(None))
        _revoke_writes(cursor, role, set(connection.introspection.table_names(cursor)))
        _grant_search(cursor, role)


def _revoke_writes(cursor: Any, role: str, tables: set[str]) -> None:
    """Leave the role nothing but SELECT on the tables that others write."""
    revoke = "REVOKE INSERT, UPDATE, DELETE ON {} FROM {}"
    for table in tables.intersection(_READ_ONLY):
        statement = sql.SQL(revoke).format(sql.Identifier(table), sql.Identifier(role))
        cursor.execute(statement.as_string(None))


def _grant_search(cursor: Any, role: str) -> None:
    """Let the role call the search functions; only their owner, crm_search, can grant that."""
    cursor.execute(_SEARCH_FUNCTIONS)
    functions = [signature for (signature,) in cursor.fetchall()]
    if not functions:
        return
    grant = sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(
        sql.SQL(", ".join(functions)), sql.Identifier(role)
    )
    cursor.execute("SET ROLE crm_search")
    cursor.execute(grant.as_string(None))
    cursor.execute("RESET ROLE")


def application_role() -> str:
    """Return the name of the role in DATABASE_URL."""
    return str(environ.Env.db_url_config(env.database_url)["USER"])
