"""Months of events: made ahead, filled from the default partition, dropped by retention."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from crm.db.owner import as_owner
from crm.db.partitions import Month, drop_partitions, make_partitions, month_partitions
from crm.env import env
from security.events import retention
from security.events.collector import record_event
from security.events.retention import drop_old_events, make_event_partitions
from security.events.types import EventType
from security.management.commands import maintain_event_partitions
from security.tests.events import stored_events
from tests.plain_sql import fetch_all

TABLE = "security_event"
FAR = datetime(2031, 5, 17, tzinfo=UTC)


@pytest.fixture
def owner(
    django_db_setup: None, counter_connections: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Be the owner of the tables; all of it is taken back."""
    with django_db_blocker.unblock(), as_owner(), transaction.atomic():
        yield
        transaction.set_rollback(True)


def place_of_events() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.all_teams', 'on', true)")
    return [str(name) for (name,) in fetch_all("SELECT tableoid::regclass FROM security_event")]


def scans() -> dict[str, int]:
    """Return how often each partition was read in this transaction."""
    return dict(
        fetch_all(
            "SELECT relname, seq_scan + coalesce(idx_scan, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname LIKE 'security_event%%'"
        )
    )


def test_a_month_knows_its_ends() -> None:
    december = Month(2031, 12)
    assert december.begin == datetime(2031, 12, 1, tzinfo=UTC)
    assert december.end == datetime(2032, 1, 1, tzinfo=UTC)
    assert december.plus(-12) == Month(2030, 12)
    assert Month.of(datetime.fromisoformat("2031-05-01T01:00:00+02:00")) == Month(2031, 4)


def test_migrate_made_this_month_and_three_more(db: None) -> None:
    this_month = Month.of(datetime.now(tz=UTC))
    assert {this_month.plus(n) for n in range(4)} <= month_partitions(TABLE).keys()


def test_an_event_lies_in_its_month(owner: None) -> None:
    make_partitions(TABLE, now=FAR, ahead=0)
    with time_machine.travel(FAR):
        record_event(EventType.SIGN_IN_FAILED)
    assert place_of_events() == ["security_event_2031_05"]


def test_an_event_without_a_month_is_kept_and_moved_to_it_later(owner: None) -> None:
    with time_machine.travel(FAR):
        record_event(EventType.SIGN_IN_FAILED)
    assert place_of_events() == ["security_event_default"]
    assert make_event_partitions() == ["security_event_2031_05"]
    assert place_of_events() == ["security_event_2031_05"]
    assert make_event_partitions() == []


def test_retention_drops_a_month_and_reads_no_other(owner: None) -> None:
    make_partitions(TABLE, now=FAR, ahead=2)
    for months in range(3):
        with time_machine.travel(FAR + timedelta(days=31 * months)):
            record_event(EventType.SIGN_IN_FAILED)
    before = scans()
    now = datetime(2031, 7, 10, tzinfo=UTC)
    dropped = drop_partitions(TABLE, now=now, retention=timedelta(days=35))
    assert dropped[-1] == "security_event_2031_05"
    after = scans()
    assert {name: before[name] for name in after} == after
    assert place_of_events() == ["security_event_2031_06", "security_event_2031_07"]


def test_a_month_stays_until_its_last_event_is_old_enough(owner: None) -> None:
    make_partitions(TABLE, now=FAR, ahead=0)
    a_year_later = datetime(2032, 5, 30, tzinfo=UTC)
    for now, is_kept in ((a_year_later, True), (a_year_later + timedelta(days=1), False)):
        drop_partitions(TABLE, now=now, retention=timedelta(days=365))
        assert (Month(2031, 5) in month_partitions(TABLE)) is is_kept


def test_the_retention_is_a_year_unless_it_is_set(owner: None) -> None:
    assert env.event_retention == timedelta(days=365)
    assert drop_old_events() == []


def test_the_application_role_makes_and_drops_nothing(db: None) -> None:
    with time_machine.travel(FAR):
        assert make_event_partitions() == []


@pytest.mark.django_db(transaction=True)
def test_the_command_makes_and_drops_as_the_owner(capsys: pytest.CaptureFixture[str]) -> None:
    with time_machine.travel(FAR), as_owner():
        make_event_partitions()
    try:
        with time_machine.travel(FAR + timedelta(days=366 + 31), tick=False):
            call_command("maintain_event_partitions")
        output = capsys.readouterr().out
        assert "Made: security_event_2032_06" in output
        assert "security_event_2031_05" in output.partition("Dropped")[2]
    finally:
        with as_owner():
            drop_partitions(TABLE, now=FAR + timedelta(days=2000), retention=timedelta(0))
            make_event_partitions()
    assert stored_events() == []


def test_the_command_fails_with_one_line(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("lock timeout\nLINE 1: DROP TABLE")

    monkeypatch.setattr(maintain_event_partitions, "keep_event_partitions", fail)
    with pytest.raises(CommandError, match=r"^Not done, run it again: lock timeout$"):
        call_command("maintain_event_partitions")
    assert retention.TABLE == TABLE
