"""Every way to write to a team's table leaves an entry that says who wrote."""

import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, models, transaction
from django.test import Client as HttpClient

from accounts.models import Invitation, Membership, Team, User
from accounts.tests.factories import make_user
from clients.models import Client
from conftest import ApiClient
from crm.db.tenancy import team_context
from leads.models import Lead
from leads.services import convert_lead
from records import services as records
from records.models import TeamModel
from security.access.all_teams import all_teams
from security.access.roles import Role
from security.api_keys.services import IssuedKey
from security.audit.models import AuditEntry
from security.audit.resources import resource_name
from security.models import ApiKey
from staff.tests.admin_calls import page, run_action
from tests.isolation import RECORD_ROUTES, every_model, list_path, model_of_route
from tests.plain_sql import execute, fetch_all, insert
from tests.team_records import (
    AUDIT_TABLES,
    TEAM_MODELS,
    body_of,
    make_record,
    name_of,
    stored_rows,
)
from tests.test_isolation_services import actor_of

AUDITED_MODELS: list[type[models.Model]] = [*TEAM_MODELS, Membership, ApiKey, Team, Invitation]
TRIGGERS = """
    SELECT tgargs, tgtype, tgenabled FROM pg_trigger
     WHERE tgrelid = %s::regclass AND tgname = 'audit_trail'
"""
# After, for each row, on INSERT, DELETE and UPDATE (pg_trigger.h).
EVERY_WRITE_OF_A_ROW = 1 | 4 | 8 | 16


def entries() -> list[Any]:
    """Return all entries of all teams, oldest first."""
    with all_teams(reason="a test looks", actor_id="", actor_label=""):
        return list(AuditEntry.objects.order_by("number"))


def entries_of(record_id: object) -> list[Any]:
    return [entry for entry in entries() if entry.resource_id == record_id]


def last() -> Any:
    return entries()[-1]


# Named like secrets: how old a password may be.
NO_SECRETS = {"password_max_age_days"}


@pytest.mark.parametrize("model", AUDITED_MODELS, ids=name_of)
def test_every_team_model_has_the_trigger(db: None, model: type[models.Model]) -> None:
    found = fetch_all(TRIGGERS, [model._meta.db_table])
    assert found, f"{model._meta.db_table}: add AuditTrail (crm.db.audit) to its migrations"
    arguments, kind, enabled = found[0]
    resource, hidden, _ = bytes(arguments).split(b"\0")
    assert (kind, enabled) == (EVERY_WRITE_OF_A_ROW, "O")
    assert resource.decode() == resource_name(model)
    columns = {str(field.column) for field in model._meta.concrete_fields}
    shown = columns - NO_SECRETS - set(hidden.decode().strip("{}").split(","))
    assert not [name for name in shown if {"hash", "secret", "pepper", "password"} & _words(name)]


def _words(name: str) -> set[str]:
    return set(name.split("_"))


def test_a_route_and_the_trail_call_a_resource_the_same() -> None:
    for route in RECORD_ROUTES:
        assert route.view.resource == resource_name(model_of_route(route))


# Records, by every path.


@every_model
def test_a_user_leaves_entries_by_the_api(
    as_alice: ApiClient, alice: Membership, model: type[TeamModel]
) -> None:
    made = as_alice.post_json(list_path(model), body_of(model))
    record_id = uuid.UUID(made.json()["data"]["id"])
    path = f"{list_path(model)}/{record_id}"
    as_alice.patch_json(path, {"firstName": "Grace"}, headers={"X-Request-ID": "request-of-alice"})
    as_alice.delete(path)
    as_alice.post_json(f"{path}/restore")
    as_alice.delete(f"{path}?permanent=true")
    found = entries_of(record_id)
    actions = ["create", "update", "delete", "restore", "purge"]
    assert [entry.action for entry in found] == actions
    for entry in found:
        assert (entry.team_id, entry.resource_type) == (alice.team_id, resource_name(model))
        assert (entry.actor_kind, entry.actor_id) == ("user", str(alice.user_id))
        assert (entry.actor_label, entry.ip_address) == ("alice@example.com", "127.0.0.1")
    assert found[1].request_id == "request-of-alice"
    assert (found[1].old_values, found[1].new_values) == (
        {"first_name": "Ada"},
        {"first_name": "Grace"},
    )
    assert found[0].new_values["email"] == body_of(model)["email"]
    assert found[4].old_values["first_name"] == "Grace"


def test_a_key_leaves_entries_by_the_api(as_key: ApiClient, key: IssuedKey) -> None:
    as_key.post_json("/v1/clients", {"firstName": "Ada"})
    entry = last()
    assert (entry.action, entry.actor_kind) == ("create", "api_key")
    assert (entry.actor_id, entry.actor_label) == (str(key.api_key.pk), "Website")


def test_a_conversion_is_an_entry_of_the_lead_and_one_of_the_client(
    as_alice: ApiClient, alice: Membership
) -> None:
    lead = make_record(Lead, alice)
    as_alice.post_json(f"/v1/leads/{lead.pk}/convert")
    client, converted = entries()[-2:]
    assert (client.action, client.resource_type) == ("create", "clients")
    assert (converted.action, converted.resource_id) == ("convert", lead.pk)
    assert converted.new_values["converted_client_id"] == str(client.resource_id)


def test_staff_leave_entries_by_the_admin(
    as_staff: HttpClient, staff: User, alice: Membership
) -> None:
    record = make_record(Client, alice)
    run_action(as_staff, "clients_client", "delete_selected", record, post="yes")
    run_action(as_staff, "clients_client", "restore_selected", record)
    as_staff.post(page("clients_client_restore", record.pk))
    found = [e for e in entries_of(record.pk) if e.actor_kind == "staff"]
    assert found
    assert {(e.actor_id, e.actor_label) for e in found} == {(str(staff.pk), staff.email)}
    assert {e.ip_address for e in found} == {"127.0.0.1"}


@every_model
def test_services_bulk_writes_and_raw_sql_leave_entries(
    alice: Membership, model: type[TeamModel]
) -> None:
    actor, values = actor_of(alice), {"first_name": "Ada"}
    with team_context(alice.team_id, actor_kind="job", actor_label="nightly"):
        made = records.create_record(actor=actor, model=model, values=values)
        records.update_record(record=made, values={"last_name": "Lovelace"})
        make: Any = model
        many = [make(team_id=alice.team_id, first_name=name) for name in ("One", "Two")]
        bulk = model.objects.bulk_create(many)
        make.objects.filter(pk=bulk[0].pk).update(first_name="Changed")
        make.objects.bulk_update([*_renamed(bulk)], ["first_name"])
        table = model._meta.db_table
        execute("UPDATE {table} SET notes = 'x' WHERE id = %s", [made.pk], table=table)
        row = {**stored_rows(table)[made.pk], "id": str(uuid.uuid4()), "created_by_id": None}
        insert(table, row)
        execute("DELETE FROM {table} WHERE id = %s", [row["id"]], table=table)
        make.objects.filter(pk=made.pk).delete()
    found = {e.actor_label for e in entries() if e.resource_type == resource_name(model)}
    assert found == {"nightly"}
    assert [e.action for e in entries_of(made.pk)] == ["create", "update", "update", "purge"]
    assert [e.action for e in entries_of(bulk[0].pk)] == ["create", "update", "update"]
    assert [e.action for e in entries_of(bulk[1].pk)] == ["create", "update"]
    assert [e.action for e in entries_of(uuid.UUID(row["id"]))] == ["create", "purge"]


def _renamed(found: list[Any]) -> list[Any]:
    for number, record in enumerate(found):
        record.first_name = f"Renamed {number}"
    return found


def test_a_service_that_is_rolled_back_leaves_nothing(alice: Membership) -> None:
    lead = make_record(Lead, alice)
    before = len(entries())
    with team_context(alice.team_id), transaction.atomic():
        convert_lead(actor=actor_of(alice), lead_id=lead.pk)
        transaction.set_rollback(True)
    assert len(entries()) == before


def test_what_the_database_changes_by_itself_is_written_too(
    alice: Membership, bob: Membership
) -> None:
    record = make_record(Client, alice, assigned_to_id=bob.user_id)
    bob.delete()
    entry = entries_of(record.pk)[-1]
    assert (entry.action, entry.new_values) == ("update", {"assigned_to_id": None})


def test_a_write_that_changes_nothing_leaves_no_entry(alice: Membership, key: IssuedKey) -> None:
    record = make_record(Client, alice)
    before = len(entries())
    with team_context(alice.team_id):
        record.save()
    ApiClient(f"Bearer {key.written}").get("/v1/clients")
    assert len(entries()) == before


# Teams, memberships and keys.


def test_staff_leave_entries_for_teams_and_members(as_staff: HttpClient, staff: User) -> None:
    make_user("lea@example.com")
    as_staff.post(page("accounts_team_add"), {"name": "Lakeside", "admin_email": "lea@example.com"})
    team = Team.objects.get(name="Lakeside")
    place = Membership.objects.get(team=team)
    # The team keeps an admin.
    Membership.objects.create(team=team, user=staff, role=Role.ADMIN)
    as_staff.post(page("accounts_membership_change", place.pk), {"role": "agent"})
    as_staff.post(page("accounts_membership_delete", place.pk), {"post": "yes"})
    found = [e for e in entries() if e.resource_id in {team.pk, place.pk}]
    assert [(e.action, e.resource_type) for e in found] == [
        ("create", "teams"),
        ("create", "memberships"),
        ("update", "memberships"),
        ("delete", "memberships"),
    ]
    assert {(e.actor_kind, e.actor_id, e.actor_label, e.ip_address) for e in found} == {
        ("staff", str(staff.pk), staff.email, "127.0.0.1")
    }
    assert all(e.request_id for e in found)


def test_staff_leave_entries_for_keys(as_staff: HttpClient, staff: User, key: IssuedKey) -> None:
    as_staff.post(page("security_apikey_rotate", key.api_key.pk), {"overlap": "24"})
    as_staff.post(page("security_apikey_revoke", key.api_key.pk))
    found = [e for e in entries() if e.resource_type == "api_keys"]
    assert [e.action for e in found] == ["create", "update", "create", "revoke"]
    assert {e.actor_label for e in found[1:]} == {staff.email}


def test_a_user_leaves_entries_for_keys(as_alice: ApiClient) -> None:
    body = {"name": "New", "scopes": {"clients": ["read"]}}
    as_alice.delete(f"/v1/api-keys/{as_alice.post_json('/v1/api-keys', body).json()['data']['id']}")
    assert [e.action for e in entries()[-2:]] == ["create", "revoke"]
    assert last().actor_label == "alice@example.com"


def test_no_secret_enters_the_trail(as_alice: ApiClient, key: IssuedKey) -> None:
    as_alice.post_json(f"/v1/api-keys/{key.api_key.pk}/rotate", {})
    everything = str([(e.old_values, e.new_values) for e in entries()])
    for secret in (key.api_key.secret_hash, key.written, "secret_hash", "pepper", "'password'"):
        assert secret not in everything


def test_a_command_leaves_its_name(alice: Membership, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--team", str(alice.team_id), "--owner", "alice@example.com", "--name", "K"]
    call_command("issue_api_key", *arguments, "--scope", "clients:read")
    assert (last().actor_kind, last().actor_label) == ("command", "manage.py issue_api_key")
    call_command("revoke_api_key", ApiKey.objects.get(name="K").key_id)
    assert (last().action, last().actor_label) == ("revoke", "manage.py revoke_api_key")
    call_command("create_team", "Quay", "--admin-email", "alice@example.com")
    assert last().actor_label == "manage.py create_team"


def test_a_write_without_any_context_names_the_database_role(db: None) -> None:
    execute("INSERT INTO accounts_team (id, name, is_active, created_at)"
            " VALUES (gen_random_uuid(), 'Raw', true, now())")  # fmt: skip
    assert (last().actor_kind, last().actor_label) == ("command", "database role crm_app")


# Nobody writes it another way.


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {table} (team_id) VALUES (gen_random_uuid())",
        "UPDATE {table} SET team_id = team_id",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "ALTER TABLE {table} DISABLE TRIGGER USER",
    ],
)
@pytest.mark.parametrize("table", AUDIT_TABLES)
def test_the_application_role_can_only_read(alice: Membership, table: str, statement: str) -> None:
    with (
        team_context(alice.team_id),
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
    ):
        execute(statement, table=table)


@pytest.mark.parametrize("door", ["", "prune", "erase"])
def test_no_door_opens_for_the_application_role(alice: Membership, door: str) -> None:
    execute("SELECT set_config('app.audit_door', %s, true)", [door])
    for statement in ("DELETE FROM security_auditentry", "UPDATE security_auditentry SET id = id"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            execute(statement)


def test_nobody_attaches_the_writing_function_to_a_table_of_their_own(db: None) -> None:
    execute("CREATE TEMPORARY TABLE forged (id uuid, team_id uuid)")
    with pytest.raises(ProgrammingError, match="permission denied for function"):
        execute("CREATE TRIGGER forge AFTER INSERT ON forged FOR EACH ROW"
                " EXECUTE FUNCTION security_audit_write('clients', '{{}}')")  # fmt: skip


@pytest.mark.parametrize("opened", ["none", "own", "other"])
def test_a_team_sees_its_own_entries_only(
    alice: Membership, mallory: Membership, opened: str
) -> None:
    record = make_record(Client, alice)
    count = 'SELECT 1 FROM "security_auditentry" WHERE resource_id = %s'
    if opened == "none":
        assert fetch_all(count, [record.pk]) == []
        return
    member = alice if opened == "own" else mallory
    with team_context(member.team_id):
        assert len(fetch_all(count, [record.pk])) == (1 if opened == "own" else 0)


def test_the_function_belongs_to_a_role_that_nobody_signs_in_as(db: None) -> None:
    rows = fetch_all(
        "SELECT r.rolname, r.rolcanlogin, r.rolbypassrls, p.prosecdef FROM pg_proc p"
        " JOIN pg_roles r ON r.oid = p.proowner WHERE p.proname = 'security_audit_write'"
    )
    assert rows == [("crm_audit", False, False, True)]


def test_the_trail_has_no_column_that_refers_elsewhere(db: None) -> None:
    with connection.cursor() as cursor:
        for table in AUDIT_TABLES:
            constraints = connection.introspection.get_constraints(cursor, table).values()
            assert not [found for found in constraints if found["foreign_key"]]
