"""Migration operations that wall a table off by team."""

from collections.abc import Sequence

from django.db import migrations

# SECURITY: the column is never cast (the index must serve it) and the setting is read once a
# statement, in a sub-select. After SET LOCAL ends the setting is an empty text: nullif, no rows.
_OWN_TEAM = "team_id = (SELECT nullif(current_setting('app.team_id', true), '')::uuid)"
_DOOR_OPEN = "(SELECT current_setting('app.all_teams', true)) = 'on'"


def isolation_statements(table: str) -> list[str]:
    """Return what forces row-level security on a table, and its two policies."""
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY team_isolation ON "{table}" USING ({_OWN_TEAM}) WITH CHECK ({_OWN_TEAM})',
        f'CREATE POLICY all_teams_door ON "{table}" USING ({_DOOR_OPEN}) WITH CHECK ({_DOOR_OPEN})',
    ]


class TeamIsolation(migrations.RunSQL):
    """Force row-level security on a table: a statement sees and writes one team's rows.

    Without the setting `app.team_id` there are no rows. The second policy is the recorded door of
    staff across teams, `security.access.all_teams`.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            sql=[*isolation_statements(table)],
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


_SEARCH_FUNCTION = f"""
CREATE FUNCTION "search_{{table}}"(pattern text, wanted text, most integer) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE
SET search_path = public, pg_temp
SET pg_trgm.word_similarity_threshold = {{threshold}} AS $$
BEGIN
    RETURN QUERY SELECT id FROM "{{table}}"
      WHERE {_OWN_TEAM} AND search_text LIKE pattern LIMIT most;
    IF NOT FOUND THEN
        RETURN QUERY SELECT id FROM "{{table}}"
          WHERE {_OWN_TEAM} AND wanted <% search_text
          ORDER BY wanted <<-> search_text LIMIT most - 1;
    END IF;
END
$$
"""  # noqa: S608 (names of tables, written in migrations)
# The rights of the role that owns the search functions. Without it, a search is slow, not open.
_GIVE_TO_SEARCH_ROLE = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_search'
                AND pg_has_role(current_user, oid, 'MEMBER')) THEN
        GRANT SELECT (id, team_id, search_text) ON "{table}" TO crm_search;
        CREATE POLICY search ON "{table}" FOR SELECT TO crm_search USING (true);
        GRANT CREATE ON SCHEMA public TO crm_search;
        ALTER FUNCTION "search_{table}"(text, text, integer) SECURITY DEFINER;
        ALTER FUNCTION "search_{table}"(text, text, integer) OWNER TO crm_search;
        REVOKE CREATE ON SCHEMA public FROM crm_search;
    END IF;
END
$$
"""


class TeamSearch(migrations.RunSQL):
    """Add the function behind `records.search`: ids of the open team's rows that a text finds.

    Rows that hold the text; when there are none, rows with words much like it.

    Text operators are not leakproof, so PostgreSQL does not use their index under row-level
    security. The function belongs to a role that no policy holds back and reads one team by its
    own condition: SECURITY: the team is the transaction's setting, never an argument.

    `threshold` is the share of trigrams that a word must have in common: 0.33 finds Johnson for
    "jonhson", which PostgreSQL's default of 0.6 does not.
    """

    def __init__(self, table: str, *, threshold: float) -> None:
        self.arguments = [table]
        self.threshold = threshold
        super().__init__(
            sql=[
                f'CREATE INDEX "{table}_search_idx" ON "{table}"'
                " USING gin (team_id, search_text gin_trgm_ops)",
                _SEARCH_FUNCTION.format(table=table, threshold=threshold),
                f'REVOKE EXECUTE ON FUNCTION "search_{table}"(text, text, integer) FROM PUBLIC',
                _GIVE_TO_SEARCH_ROLE.format(table=table),
            ],
            reverse_sql=[
                f'DROP POLICY IF EXISTS search ON "{table}"',
                f'DROP FUNCTION "search_{table}"(text, text, integer)',
                f'DROP INDEX "{table}_search_idx"',
            ],
        )

    def deconstruct(self) -> tuple[str, Sequence[object], dict[str, object]]:
        return self.__class__.__name__, self.arguments, {"threshold": self.threshold}
