"""Whom to write to: people who may sign in, at an address that proved theirs.

Users and teams are named in SQL only (docs/architecture.md, layers).
"""

from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

_PERSON = """
    SELECT email, first_name FROM accounts_user
     WHERE id = %s AND is_active AND email_verified_at IS NOT NULL
"""
_ADMINS = """
    SELECT u.email, u.first_name
      FROM accounts_membership m
      JOIN accounts_user u ON u.id = m.user_id AND u.is_active AND u.email_verified_at IS NOT NULL
      JOIN accounts_team t ON t.id = m.team_id AND t.is_active
     WHERE m.team_id = %s AND m.is_active AND m.role = 'admin'
     ORDER BY u.email
"""
_SUPERUSERS = """
    SELECT email, first_name FROM accounts_user
     WHERE is_superuser AND is_staff AND is_active AND email_verified_at IS NOT NULL
     ORDER BY email
"""


class Person(NamedTuple):
    """Somebody who gets mail."""

    email: str
    first_name: str


def person(user_id: UUID) -> Person | None:
    """Return a user; None for one who gets no mail."""
    return next(iter(_read(_PERSON, user_id)), None)


def admins_of(team_id: UUID) -> list[Person]:
    """Return the admins of a team that is open."""
    return _read(_ADMINS, team_id)


def superusers() -> list[Person]:
    """Return who keeps the platform."""
    return _read(_SUPERUSERS)


def _read(statement: str, *parameters: Any) -> list[Person]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [Person(*row) for row in cursor.fetchall()]
