"""What the application role may do with the tables: read and write rows, nothing else.

A model with `application_rights` narrows that: `("SELECT", "INSERT")` makes its table append-only.
The partitions of a table are the application's through the table alone.

Given after each migrate by the owner; an application role that is the owner needs no grant.
"""

from typing import Any

import environ
from django.apps import AppConfig, apps
from django.db import connections, transaction
from psycopg import sql

from crm.env import env

_SEARCH_FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
     WHERE r.rolname = 'crm_search'
"""
_PARTITIONS = """
    SELECT relname FROM pg_class
     WHERE relispartition AND relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def grant_application_role(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Grant the role of DATABASE_URL its rights on tables and sequences (post_migrate)."""
    role = application_role()
    connection = connections[using]
    # One transaction: at no moment may the application do what is taken back at its end.
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if role in {"", cursor.fetchone()[0]}:
            return
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
            # Migrations are the owner's; the application only reads which ones ran.
            "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}",
        ):
            cursor.execute(sql.SQL(statement).format(sql.Identifier(role)).as_string(None))
        _narrow(cursor, sql.Identifier(role))
        _grant_search(cursor, role)


def _narrow(cursor: Any, role: sql.Identifier) -> None:
    """Take rights back: all on partitions, some on the tables of models that say so."""
    cursor.execute(_PARTITIONS)
    for (name,) in cursor.fetchall():
        revoke = sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(name), role)
        cursor.execute(revoke.as_string(None))
    for model in apps.get_models():
        rights = getattr(model, "application_rights", None)
        if rights is not None:
            table, kept = sql.Identifier(model._meta.db_table), sql.SQL(", ".join(rights))
            for statement in (
                sql.SQL("REVOKE ALL ON {} FROM {}").format(table, role),
                sql.SQL("GRANT {} ON {} TO {}").format(kept, table, role),
            ):
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
