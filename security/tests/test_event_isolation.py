"""Events in plain SQL: a team sees its own, a person theirs, and nobody changes any."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Membership
from crm.db.isolation import isolation_problems, team_tables
from crm.db.owner import as_owner
from crm.db.partitions import make_partitions, month_partitions
from crm.db.tenancy import context, team_context
from security.events.collector import record_event
from security.events.types import EventType
from tests.plain_sql import execute, fetch_all

TABLE = "security_event"
PARTITIONS = (
    "SELECT relname FROM pg_class WHERE relname LIKE 'security_event_%%' AND relispartition"
)


@pytest.fixture
def events(alice: Membership, bob: Membership, mallory: Membership) -> None:
    """One event about each of three people in their team, and one about nobody in none."""
    for member in (alice, bob, mallory):
        record_event(EventType.SIGN_IN_FAILED, user_id=member.user_id, team_id=member.team_id)
    record_event(EventType.RATE_LIMIT_EXCEEDED)


def seen() -> list[str]:
    return [email for (email,) in fetch_all("SELECT user_email FROM security_event ORDER BY 1")]


def partitions() -> list[str]:
    return [name for (name,) in fetch_all(PARTITIONS) if "idx" not in name and "pkey" not in name]


def test_nobody_sees_an_event_without_a_team(events: None) -> None:
    assert seen() == []


def test_a_team_sees_its_own_events_only(events: None, alice: Membership) -> None:
    with team_context(alice.team_id):
        assert seen() == ["alice@example.com", "bob@example.com"]


def test_a_person_sees_their_own_events_only(events: None, alice: Membership) -> None:
    with context(own_events_of=str(alice.user_id)):
        assert seen() == ["alice@example.com"]
    assert seen() == []


def test_staff_see_every_event_through_the_door(events: None) -> None:
    with context(all_teams="on"):
        assert len(seen()) == 4


def test_a_persons_setting_opens_no_other_table(alice: Membership, as_alice: Any) -> None:
    as_alice.post_json("/v1/clients", {"firstName": "Ada", "lastName": "Quill"})
    with context(team_id="", own_events_of=str(alice.user_id)):
        assert fetch_all("SELECT 1 FROM clients_client") == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET message = ''",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "DROP TABLE {table}",
        "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY loophole ON {table} USING (true)",
    ],
)
def test_the_application_adds_events_and_changes_none(events: None, statement: str) -> None:
    with context(all_teams="on"), pytest.raises(ProgrammingError, match=r"denied|must be owner"):
        execute(statement, table=TABLE)


@pytest.mark.parametrize("statement", ["SELECT 1 FROM {table}", "DELETE FROM {table}"])
def test_the_application_has_no_right_on_a_partition(events: None, statement: str) -> None:
    assert len(partitions()) >= 5
    for name in partitions():
        with context(all_teams="on"), pytest.raises(ProgrammingError, match="denied"):
            execute(statement, table=name)


def test_every_partition_is_walled_off_as_well(db: None) -> None:
    assert {TABLE, *partitions()} <= set(team_tables())
    assert set(month_partitions(TABLE).values()) < set(partitions())
    assert isolation_problems() == []


@pytest.fixture
def as_table_owner(
    django_db_setup: None, counter_connections: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[str], int]]:
    """Run statements as the owner of the tables; all of it is taken back."""
    with django_db_blocker.unblock(), as_owner(), transaction.atomic():
        yield execute
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DROP POLICY team_isolation ON security_event", "team_isolation is missing"),
        ("ALTER TABLE security_event NO FORCE ROW LEVEL SECURITY", "not enabled and forced"),
        ("ALTER TABLE security_event_default DISABLE ROW LEVEL SECURITY", "security_event_default"),
        ("ALTER POLICY own_events ON security_event USING (true)", "own_events shows rows"),
        (
            "ALTER POLICY own_events ON security_event USING"
            " (user_id = nullif(current_setting('app.actor_id', true), '')::uuid)",
            "own_events shows rows",
        ),
        ("CREATE POLICY other ON security_event FOR SELECT USING (true)", "other shows rows"),
        (
            "CREATE POLICY other ON security_event FOR INSERT WITH CHECK (true)",
            "other shows rows",
        ),
        ("CREATE POLICY append ON leads_lead FOR INSERT WITH CHECK (true)", "append shows rows"),
    ],
)
def test_an_opening_is_named(
    as_table_owner: Callable[[str], int], statement: str, problem: str
) -> None:
    as_table_owner(statement)
    assert any(problem in line for line in isolation_problems())


@pytest.mark.parametrize(
    "statement",
    ["UPDATE {table} SET message = ''", "DELETE FROM {table}", "TRUNCATE {table}"],
)
def test_the_owner_changes_no_event_either(
    as_table_owner: Callable[..., int], statement: str
) -> None:
    for table in (TABLE, *partitions()):
        with context(all_teams="on"), pytest.raises(ProgrammingError, match="is append-only"):
            as_table_owner(statement, table=table)


def test_a_new_month_is_append_only_from_its_first_moment(
    as_table_owner: Callable[..., int],
) -> None:
    (name,) = make_partitions(TABLE, now=datetime(2033, 5, 1, tzinfo=UTC), ahead=0)
    with pytest.raises(ProgrammingError, match=f"{name} is append-only: DELETE refused"):
        as_table_owner("DELETE FROM {table}", table=name)


def test_an_event_outlives_its_team_and_person(events: None, alice: Membership) -> None:
    team_id = alice.team_id
    alice.team.delete()
    with team_context(team_id):
        assert "alice@example.com" in seen()


def test_labels_are_those_of_the_moment(events: None, alice: Membership) -> None:
    alice.user.email = "renamed@example.com"
    alice.user.save()
    with team_context(alice.team_id):
        assert "renamed@example.com" not in seen()


def test_an_event_about_somebody_unknown_keeps_the_id(db: None) -> None:
    unknown = uuid.uuid4()
    record_event(EventType.SIGN_IN_FAILED, user_id=unknown)
    with context(own_events_of=str(unknown)), connection.cursor() as cursor:
        cursor.execute("SELECT user_email FROM security_event")
        assert cursor.fetchall() == [("",)]
