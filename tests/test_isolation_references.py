"""Links between the rows of two teams: composite keys refuse them.

PostgreSQL checks foreign keys past row-level security, so nothing else would.
"""

from contextlib import AbstractContextManager
from typing import NamedTuple

import pytest
from django.db import IntegrityError

from accounts.models import Membership
from crm.db.tenancy import team_context
from security.access.all_teams import all_teams
from tests.plain_sql import execute, fetch_all
from tests.team_records import TABLES, TEAM_MODELS, make_record, model_of

UPDATE_REFERENCE = "UPDATE {table} SET {column} = %s WHERE id = %s"
_FOREIGN_KEYS = """
    SELECT con.conname, con.conrelid::regclass::text, con.confrelid::regclass::text,
           ARRAY(SELECT attname::text FROM unnest(con.conkey) WITH ORDINALITY AS key (number, place)
                   JOIN pg_attribute ON attrelid = con.conrelid AND attnum = number ORDER BY place),
           EXISTS (SELECT FROM pg_attribute
                    WHERE attrelid = con.confrelid AND attname = 'team_id' AND NOT attisdropped)
      FROM pg_constraint con WHERE con.contype = 'f' AND con.conrelid::regclass::text = ANY(%s)
"""


class ForeignKey(NamedTuple):
    """A foreign key of a team table."""

    name: str
    table: str
    target: str
    columns: list[str]
    target_has_team: bool

    @property
    def is_composite(self) -> bool:
        """Tell whether it compares the team too."""
        return len(self.columns) == 2 and self.columns[0] == "team_id"


def foreign_keys() -> list[ForeignKey]:
    """Return the foreign keys of all team tables."""
    return [ForeignKey(*row) for row in fetch_all(_FOREIGN_KEYS, [TABLES])]


def test_every_link_between_team_tables_names_the_team(db: None) -> None:
    loose = [key.name for key in foreign_keys() if key.target_has_team and not key.is_composite]
    assert loose == []


def test_every_reference_of_a_team_model_is_held_by_a_composite_key(db: None) -> None:
    held = {(key.table, key.columns[1]) for key in foreign_keys() if key.is_composite}
    # `created_by` outlives the membership: who made a record stays true when they leave.
    references = {
        (model._meta.db_table, str(field.column))
        for model in TEAM_MODELS
        for field in model._meta.concrete_fields
        if field.is_relation and field.name not in {"team", "created_by"}
    }
    assert references <= held


def doors(member: Membership) -> list[AbstractContextManager[None]]:
    """Return both ways to see a team's rows."""
    staff_door = all_teams(reason="a test", actor_id="", actor_label="")
    return [team_context(member.team_id), staff_door]


def test_every_composite_key_refuses_another_teams_row(
    alice: Membership, mallory: Membership
) -> None:
    keys = [key for key in foreign_keys() if key.is_composite]
    assert keys
    for key in keys:
        record = make_record(model_of(key.table), alice)
        own, foreign = (
            make_record(model_of(key.target), member).pk if key.target in TABLES else member.user_id
            for member in (alice, mallory)
        )
        names = {"table": key.table, "column": key.columns[1]}
        for door in doors(alice):
            with door:
                assert execute(UPDATE_REFERENCE, [own, record.pk], **names) == 1
                with pytest.raises(IntegrityError, match=key.name):
                    execute(UPDATE_REFERENCE, [foreign, record.pk], **names)
