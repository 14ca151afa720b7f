"""Opening a team in the database: settings that live as long as one transaction.

`set_config(…, true)` ends with the transaction, so nothing reaches the next user of a connection,
also behind PgBouncer. Row-level security (crm.db.operations) reads `app.team_id`; the audit trail
reads the others.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# SQL for the end of a SELECT list: authentication opens the team in the statement that proves it.
CONTEXT_COLUMNS = """
    set_config('app.team_id', {team_id}::text, true),
    set_config('app.actor_kind', {actor_kind}, true),
    set_config('app.actor_id', {actor_id}::text, true),
    set_config('app.actor_label', {actor_label}, true),
    set_config('app.request_id', %(request_id)s, true),
    set_config('app.ip_address', %(ip_address)s, true)
"""


@contextmanager
def team_context(
    team_id: uuid.UUID,
    *,
    actor_kind: str = "command",
    actor_id: str = "",
    actor_label: str = "",
) -> Iterator[None]:
    """Run a block in a transaction that sees one team, for commands, jobs and tests.

    Inside another block, also inside the all-teams door, it sees its own team only; the outer
    block sees again what it saw before.
    """
    with context(
        team_id=str(team_id),
        all_teams="",
        actor_kind=actor_kind,
        actor_id=actor_id,
        actor_label=actor_label,
    ):
        yield


@contextmanager
def command_context(name: str) -> Iterator[None]:
    """Run a block in a transaction whose writes the audit trail ascribes to a command."""
    with context(actor_kind="command", actor_id="", actor_label=f"manage.py {name}"):
        yield


@contextmanager
def context(**settings: str) -> Iterator[None]:
    """Run a block in a transaction with `app.*` settings; the former ones come back behind it."""
    with transaction.atomic():
        former = _read_context(*settings)
        set_context(**settings)
        yield
        # A nested block ends before its transaction does. An error needs nothing done: the
        # rollback takes the settings back too.
        if not connection.needs_rollback:
            set_context(**former)


def set_context(**settings: str) -> None:
    """Set `app.*` settings for the rest of the transaction."""
    columns = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    parameters = [part for name, value in settings.items() for part in (f"app.{name}", value)]
    with connection.cursor() as cursor:
        # Only placeholders are put together here.
        cursor.execute(f"SELECT {columns}", parameters)


def _read_context(*names: str) -> dict[str, str]:
    columns = ", ".join(["coalesce(current_setting(%s, true), '')"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}", [f"app.{name}" for name in names])
        return dict(zip(names, cursor.fetchone(), strict=True))
