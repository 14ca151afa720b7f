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
    """Run a block in a transaction that sees one team, for commands, jobs and tests."""
    with transaction.atomic():
        set_context(
            team_id=str(team_id),
            actor_kind=actor_kind,
            actor_id=actor_id,
            actor_label=actor_label,
        )
        yield
        # A nested block ends before its transaction does: close the team behind it.
        set_context(team_id="", actor_kind="", actor_id="", actor_label="")


def set_context(**settings: str) -> None:
    """Set `app.*` settings for the rest of the transaction."""
    columns = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    parameters = [part for name, value in settings.items() for part in (f"app.{name}", value)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}", parameters)  # noqa: S608 (only placeholders)
