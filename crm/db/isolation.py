"""Reads the catalogue and tells what is open: the start, readiness and a test ask it.

A table with a `team_id` and without forced row-level security, a policy or view that shows more
than one team, or a role that row-level security does not bind, is a reason not to serve.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection

from crm.db.grants import application_role
from crm.env import env

# Read before the team is known: by the token's session, the key's id, the user's memberships.
TABLES_READ_BEFORE_THE_TEAM = frozenset(
    {"accounts_membership", "accounts_session", "security_apikey"}
)

_RELATIONS = """
    SELECT c.relname, c.relkind::text,
           c.relrowsecurity AND c.relforcerowsecurity,
           coalesce(c.reloptions::text[] && ARRAY['security_invoker=true', 'security_invoker=on'],
                    false)
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'team_id' AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace = 'public'::regnamespace
     ORDER BY c.relname
"""
# The policies that bind the application role: for everybody, or for a role it is a member of.
_POLICIES = """
    SELECT c.relname, p.polname, p.polcmd::text, p.polpermissive,
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
      FROM pg_policy p
      JOIN pg_class c ON c.oid = p.polrelid AND c.relnamespace = 'public'::regnamespace
      JOIN pg_roles r ON r.rolname = coalesce(nullif(%s, ''), current_user)
     WHERE EXISTS (SELECT FROM unnest(p.polroles) AS bound (role)
                    WHERE role = 0 OR pg_has_role(r.oid, role, 'MEMBER'))
"""
_ROLE = """
    SELECT EXISTS (SELECT FROM pg_roles g
                    WHERE pg_has_role(r.oid, g.oid, 'MEMBER') AND g.rolsuper),
           EXISTS (SELECT FROM pg_roles g
                    WHERE pg_has_role(r.oid, g.oid, 'MEMBER') AND g.rolbypassrls),
           EXISTS (SELECT FROM pg_class c
                    WHERE pg_has_role(r.oid, c.relowner, 'MEMBER') AND c.relkind IN ('r', 'p')
                      AND c.relnamespace = 'public'::regnamespace)
      FROM pg_roles r WHERE rolname = coalesce(nullif(%s, ''), current_user)
"""
_TEAM_SETTING = "current_setting('app.team_id'"
_DOOR_SETTING = "current_setting('app.all_teams'"

# The policies beside the team's and the door's, each to the letter: (table, name, command, USING,
# WITH CHECK). A person's own events in all teams; events that are added, and shown to nobody; the
# invitation whose token somebody holds.
_OWN_EVENTS = (
    "(user_id = ( SELECT (NULLIF(current_setting('app.own_events_of'::text, true), ''::text))::uuid"
    ' AS "nullif"))'
)
_HELD_INVITATION = (
    "((token_hash)::text = ( SELECT"
    " NULLIF(current_setting('app.invitation_token_hash'::text, true), ''::text)"
    ' AS "nullif"))'
)
_NARROW_POLICIES = frozenset(
    {
        ("accounts_invitation", "by_token", "r", _HELD_INVITATION, None),
        ("security_event", "own_events", "r", _OWN_EVENTS, None),
        ("security_event", "append", "a", None, "true"),
    }
)


class _Relation(NamedTuple):
    name: str
    kind: str
    is_forced: bool
    is_invoker: bool


class _Policy(NamedTuple):
    table: str
    name: str
    command: str
    is_permissive: bool
    using: str | None
    with_check: str | None

    @property
    def isolates(self) -> bool:
        """Tell whether it holds every read and write to the team of the transaction."""
        return (
            self.name == "team_isolation"
            and self.command == "*"
            and self.is_permissive
            and _TEAM_SETTING in (self.using or "")
            and _TEAM_SETTING in (self.with_check or "")
        )

    @property
    def opens(self) -> bool:
        """Tell whether it shows rows whatever the settings of the transaction say."""
        if self.is_permissive and self._normalised() in _NARROW_POLICIES:
            return False
        expressions = [text for text in (self.using, self.with_check) if text is not None]
        return self.is_permissive and not all(
            _TEAM_SETTING in text or _DOOR_SETTING in text for text in expressions
        )

    def _normalised(self) -> tuple[str | None, ...]:
        """Return what `_NARROW_POLICIES` names, blanks and line ends made equal."""
        using, check = (
            None if text is None else " ".join(text.split())
            for text in (self.using, self.with_check)
        )
        return (self.table, self.name, self.command, using, check)


def isolation_problems() -> list[str]:
    """Return one line for each reason why teams are not walled off; none when they are."""
    return [*_relation_problems(), *_role_problems()]


def refuse_open_database() -> None:
    """Stop the start of a server on a database that does not wall teams off."""
    if problems := isolation_problems():
        raise SystemExit("\n".join(problems))


def team_tables() -> list[str]:
    """Return the tables that row-level security must guard."""
    return [found.name for found in _relations() if found.kind in {"r", "p"}]


def _relations() -> list[_Relation]:
    with connection.cursor() as cursor:
        cursor.execute(_RELATIONS)
        found = [_Relation(*row) for row in cursor.fetchall()]
    return [relation for relation in found if relation.name not in TABLES_READ_BEFORE_THE_TEAM]


def _policies() -> list[_Policy]:
    with connection.cursor() as cursor:
        cursor.execute(_POLICIES, [application_role()])
        return [_Policy(*row) for row in cursor.fetchall()]


def _relation_problems() -> Iterator[str]:
    policies = _policies()
    for relation in _relations():
        if relation.kind == "v":
            if not relation.is_invoker:
                yield f"View {relation.name}: shows its owner's rows; make it security_invoker."
        elif relation.kind in {"m", "f"}:
            yield f"Relation {relation.name}: row-level security cannot guard its team_id."
        else:
            yield from _table_problems(
                relation, [policy for policy in policies if policy.table == relation.name]
            )


def _table_problems(table: _Relation, policies: list[_Policy]) -> Iterator[str]:
    if not table.is_forced:
        yield f"Table {table.name}: row-level security is not enabled and forced."
    if not any(policy.isolates for policy in policies):
        yield f"Table {table.name}: the policy team_isolation is missing."
    for policy in policies:
        if policy.opens:
            yield f"Table {table.name}: the policy {policy.name} shows rows of every team."


def _role_problems() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(_ROLE, [application_role()])
        row = cursor.fetchone()
    if row is None:
        yield "The application role of DATABASE_URL does not exist on the server."
        return
    is_superuser, bypasses_rls, owns_tables = row
    if is_superuser:
        yield "The application role is a superuser: row-level security does not bind it."
    if bypasses_rls:
        yield "The application role has BYPASSRLS: row-level security does not bind it."
    if owns_tables and env.database_owner_url != env.database_url:
        yield "The application role owns tables, although DATABASE_OWNER_URL names an owner."
