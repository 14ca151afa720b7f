"""Migration operations that wall a table off by team."""

from collections.abc import Sequence

from django.db import migrations

# SECURITY: the column is never cast (the index must serve it) and the setting is read once a
# statement, in a sub-select. After SET LOCAL ends the setting is an empty text: nullif, no rows.
_OWN_TEAM = "team_id = (SELECT nullif(current_setting('app.team_id', true), '')::uuid)"
_DOOR_OPEN = "(SELECT current_setting('app.all_teams', true)) = 'on'"


class TeamIsolation(migrations.RunSQL):
    """Force row-level security on a table: a statement sees and writes one team's rows.

    Without the setting `app.team_id` there are no rows. The second policy is the recorded door of
    staff across teams, `security.all_teams`.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            sql=[
                f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
                f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
                f'CREATE POLICY team_isolation ON "{table}"'
                f" USING ({_OWN_TEAM}) WITH CHECK ({_OWN_TEAM})",
                f'CREATE POLICY all_teams_door ON "{table}"'
                f" USING ({_DOOR_OPEN}) WITH CHECK ({_DOOR_OPEN})",
            ],
            reverse_sql=[
                f'DROP POLICY all_teams_door ON "{table}"',
                f'DROP POLICY team_isolation ON "{table}"',
                f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
                f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
            ],
        )

    def deconstruct(self) -> tuple[str, Sequence[object], dict[str, object]]:
        return self.__class__.__name__, [self.table], {}


class TeamForeignKey(migrations.RunSQL):
    """Add a composite foreign key (team_id, column), so that no row refers to another team's.

    PostgreSQL checks foreign keys past row-level security: only the team in the key refuses the
    link. When the target goes, the column becomes NULL and the row stays.
    """

    def __init__(self, table: str, column: str, target: str, target_column: str = "id") -> None:
        self.arguments = [table, column, target, target_column]
        name = f"{table}_{column}_team_fk"
        super().__init__(
            sql=f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}"'
            f' FOREIGN KEY (team_id, "{column}") REFERENCES "{target}" (team_id, "{target_column}")'
            f' ON DELETE SET NULL ("{column}") DEFERRABLE INITIALLY IMMEDIATE',
            reverse_sql=f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"',
        )

    def deconstruct(self) -> tuple[str, Sequence[object], dict[str, object]]:
        return self.__class__.__name__, self.arguments, {}
