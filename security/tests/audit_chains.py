"""Changing the audit trail as its owner does who means ill, and proving it."""

import io
from collections.abc import Callable
from typing import Any, NamedTuple

from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Membership
from clients.models import Client
from crm.db.owner import as_owner
from tests.team_records import make_record

# SQL of a change, for a team.
Attack = Callable[[Membership], str]
SEALED = 6
ENTRY, LINK, HEAD = "security_auditentry", "security_auditlink", "security_audithead"


class Outcome(NamedTuple):
    """How a command ended, and what it printed."""

    is_ok: bool
    text: str


def run(name: str, *arguments: Any) -> Outcome:
    """Run a command; `text` is everything it printed, its refusal too."""
    output = io.StringIO()
    try:
        call_command(name, *arguments, stdout=output, stderr=output)
    except CommandError as error:
        return Outcome(False, f"{output.getvalue()}{error}")
    return Outcome(True, output.getvalue())


def tamper(*statements: str) -> list[Any]:
    """Run statements as the owner with every trigger off; return the last one's rows."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET app.all_teams = 'on'")
        for table in (ENTRY, LINK, HEAD):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
        for table in (ENTRY, LINK, HEAD):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return rows


def at(position: int, member: Membership) -> str:
    """Return SQL for the id of the entry at a position of the member's team."""
    return (
        f"(SELECT entry_id FROM {LINK} WHERE team_id = '{member.team_id}'"
        f" AND position = {position})"
    )


def make_chain(member: Membership) -> None:
    """Make and seal entries of the member's team, SEALED at least."""
    for number in range(SEALED):
        make_record(Client, member, first_name=f"Client {number}")
    assert run("seal_audit").is_ok


def must(outcome: Outcome) -> None:
    """Fail with what the command printed unless it went well."""
    assert outcome.is_ok, outcome.text


def of_team(statement: str) -> Attack:
    """Return an attack whose statement, up to its WHERE, is bound to the team."""
    return lambda member: f"{statement} AND team_id = '{member.team_id}'"
