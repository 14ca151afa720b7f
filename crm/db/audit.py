"""Migration operations of the audit trail: what writes it, and what refuses to change it.

ADR 5 says why triggers of our own, and how the trail is proved to be whole.
"""

from collections.abc import Sequence
from typing import Final

from django.db import migrations

WRITE_FUNCTION: Final = "security_audit_write"
REFUSE_FUNCTION: Final = "security_audit_refuse"
TRIGGER: Final = "audit_trail"
REFUSAL: Final = "append_only"
EVERY_CHANGE: Final = "UPDATE OR DELETE OR TRUNCATE"
# Never in the trail, of any table: what follows from other columns, and when it was written.
NEVER_RECORDED: Final = ("search_text", "updated_at", "password")

# One function for all tables. Its first argument is the resource, its second the columns left out.
# SECURITY: it runs as its owner, the only role with INSERT on the trail. That role has a policy of
# its own: a cascade may write in a transaction that has no team open.
_WRITE = f"""
CREATE FUNCTION {WRITE_FUNCTION}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hidden CONSTANT text[] := TG_ARGV[1]::text[];
    subject jsonb;
    before jsonb;
    after jsonb;
    done text;
    door CONSTANT text := coalesce(current_setting('app.all_teams', true), '');
BEGIN
    IF TG_OP = 'INSERT' THEN
        subject := to_jsonb(NEW);
        after := subject - hidden - '{{id,team_id}}'::text[];
        done := 'create';
    ELSIF TG_OP = 'DELETE' THEN
        subject := to_jsonb(OLD);
        before := subject - hidden - '{{id,team_id}}'::text[];
        done := CASE WHEN subject ? 'deleted_at' THEN 'purge' ELSE 'delete' END;
    ELSE
        subject := to_jsonb(OLD);
        SELECT jsonb_object_agg(key, was.value), jsonb_object_agg(key, is_now.value)
          INTO before, after
          FROM jsonb_each(subject - hidden) AS was
          JOIN jsonb_each(to_jsonb(NEW) - hidden) AS is_now USING (key)
         WHERE was.value IS DISTINCT FROM is_now.value;
        IF before IS NULL THEN
            RETURN NULL;
        END IF;
        done := CASE
            WHEN before -> 'deleted_at' = 'null' THEN 'delete'
            WHEN after -> 'deleted_at' = 'null' THEN 'restore'
            WHEN before -> 'converted_at' = 'null' THEN 'convert'
            WHEN before -> 'revoked_at' = 'null' THEN 'revoke'
            ELSE 'update' END;
    END IF;
    IF current_user <> 'crm_audit' THEN
        PERFORM set_config('app.all_teams', 'on', true);
    END IF;
    INSERT INTO public.security_auditentry (
        id, team_id, action, resource_type, resource_id, old_values, new_values,
        actor_kind, actor_id, actor_label, request_id, ip_address, created_at, transaction_id)
    VALUES (
        -- A version 7 UUID: new rows are neighbours in every index.
        encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING substring(
            int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
            FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid,
        coalesce(subject ->> 'team_id', subject ->> 'id')::uuid,
        done, TG_ARGV[0], (subject ->> 'id')::uuid, before, after,
        coalesce(nullif(current_setting('app.actor_kind', true), ''), 'command'),
        coalesce(current_setting('app.actor_id', true), ''),
        coalesce(nullif(current_setting('app.actor_label', true), ''),
                 'database role ' || session_user),
        coalesce(current_setting('app.request_id', true), ''),
        coalesce(current_setting('app.ip_address', true), ''),
        clock_timestamp(), pg_current_xact_id()::text::bigint);
    IF current_user <> 'crm_audit' THEN
        PERFORM set_config('app.all_teams', door, true);
    END IF;
    RETURN NULL;
END
$$
"""  # noqa: S608 (constants only)
_REFUSE = f"""
CREATE OR REPLACE FUNCTION {REFUSE_FUNCTION}() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- The doors of retention and erasure, security.audit.retention, and of moving events to their
    -- month, crm.db.partitions.
    door CONSTANT text := CASE TG_OP WHEN 'UPDATE' THEN 'erase' ELSE 'prune' END;
BEGIN
    IF current_setting('app.audit_door', true) = door THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$
"""
# On a server without the role, the function stays with the owner of the tables and opens the door
# of all teams for its INSERT; the application role cannot write the trail either way.
_GIVE_TO_WRITER = f"""
DO $$
DECLARE
    owner CONSTANT text := current_user;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_audit'
                AND pg_has_role(current_user, oid, 'MEMBER')) THEN
        GRANT INSERT ON security_auditentry TO crm_audit;
        CREATE POLICY audit_writer ON security_auditentry
            FOR INSERT TO crm_audit WITH CHECK (true);
        GRANT CREATE ON SCHEMA public TO crm_audit;
        ALTER FUNCTION {WRITE_FUNCTION}() OWNER TO crm_audit;
        REVOKE CREATE ON SCHEMA public FROM crm_audit;
        SET LOCAL ROLE crm_audit;
        EXECUTE format('GRANT EXECUTE ON FUNCTION {WRITE_FUNCTION}() TO %I', owner);
        EXECUTE format('SET LOCAL ROLE %I', owner);
    END IF;
END
$$
"""  # noqa: S608 (constants only)


class AuditFunctions(migrations.RunSQL):
    """Add the functions behind the triggers. SECURITY: nobody but the owner may use them.

    Whoever could attach the writing function to a table of their own could write what never was.
    """

    def __init__(self) -> None:
        super().__init__(
            sql=[
                _WRITE,
                _REFUSE,
                f"REVOKE EXECUTE ON FUNCTION {WRITE_FUNCTION}() FROM PUBLIC",
                _GIVE_TO_WRITER,
            ],
            reverse_sql=[
                "DROP POLICY IF EXISTS audit_writer ON security_auditentry",
                f"DROP FUNCTION {WRITE_FUNCTION}()",
                f"DROP FUNCTION {REFUSE_FUNCTION}()",
            ],
        )

    def deconstruct(self) -> tuple[str, Sequence[object], dict[str, object]]:
        return self.__class__.__name__, [], {}


class AuditTrail(migrations.RunSQL):
    """Record every write of a table's rows under the name of a resource.

    `without` names columns that never enter the trail, beside NEVER_RECORDED: secrets, and what
    changes with every use. A change of nothing else leaves no entry.
    """

    def __init__(self, table: str, resource: str, without: Sequence[str] = ()) -> None:
        self.arguments = [table, resource, list(without)]
        hidden = ",".join((*NEVER_RECORDED, *without))
        super().__init__(
            sql=f'CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON "{table}"'
            f" FOR EACH ROW EXECUTE FUNCTION {WRITE_FUNCTION}('{resource}', '{{{hidden}}}')",
            reverse_sql=f'DROP TRIGGER {TRIGGER} ON "{table}"',
        )

    def deconstruct(self) -> tuple[str, Sequence[object], dict[str, object]]:
        return self.__class__.__name__, self.arguments, {}


def append_only_statement(table: str, statements: str = EVERY_CHANGE) -> str:
    """Return what refuses statements on a table to everybody, its owner too."""
    return (
        f'CREATE TRIGGER {REFUSAL} BEFORE {statements} ON "{table}"'
        f" FOR EACH STATEMENT EXECUTE FUNCTION {REFUSE_FUNCTION}()"
    )


class AppendOnly(migrations.RunSQL):
    """Refuse statements on a table to everybody, its owner too."""

    def __init__(self, table: str, statements: str = EVERY_CHANGE) -> None:
        self.arguments = [table, statements]
        super().__init__(
            sql=append_only_statement(table, statements),
            reverse_sql=f'DROP TRIGGER {REFUSAL} ON "{table}"',
        )

    def deconstruct(self) -> tuple[str, Sequence[object], dict[str, object]]:
        return self.__class__.__name__, self.arguments, {}


class AppendOnlyPartitions(migrations.RunSQL):
    """Refuse every change to a partitioned table and to each of its partitions.

    A statement's trigger belongs to the table that the statement names. Partitions that are made
    later get theirs from `crm.db.partitions`.
    """

    def __init__(self, table: str) -> None:
        self.arguments = [table]
        super().__init__(
            sql=[append_only_statement(table), self._on_each(table, append_only_statement("%I"))],
            reverse_sql=[
                self._on_each(table, f'DROP TRIGGER {REFUSAL} ON "%I"'),
                f'DROP TRIGGER {REFUSAL} ON "{table}"',
            ],
        )

    def deconstruct(self) -> tuple[str, Sequence[object], dict[str, object]]:
        return self.__class__.__name__, self.arguments, {}

    @staticmethod
    def _on_each(table: str, statement: str) -> str:
        return f"""
            DO $$
            DECLARE
                partition name;
            BEGIN
                FOR partition IN SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid
                                  WHERE inhparent = '{table}'::regclass
                LOOP
                    EXECUTE format('{statement.replace('"%I"', "%I")}', partition);
                END LOOP;
            END
            $$
        """  # noqa: S608 (names of tables, written in migrations)


class AuditRefusal(migrations.RunSQL):
    """Replace the function that refuses by the present one."""

    def __init__(self) -> None:
        super().__init__(sql=_REFUSE, reverse_sql=migrations.RunSQL.noop)

    def deconstruct(self) -> tuple[str, Sequence[object], dict[str, object]]:
        return self.__class__.__name__, [], {}
