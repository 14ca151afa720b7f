"""The security report: what it counts, how much it reads, and how a terminal shows it."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Membership
from clients.models import Client
from crm.db.tenancy import context
from security.api_keys.services import issue_key
from security.audit.models import AuditVerification
from security.events.collector import record_event
from security.events.types import EventType
from security.ip_blocks.services import block_network
from security.report import chain, figures
from security.report.figures import KINDS, period_of, security_report
from security.report.shape import Report
from security.report.text import LABELS
from security.tests.audit_chains import run
from security.tests.events import stored_events
from tests.team_records import make_record

NOW = datetime(2026, 11, 18, 12, 30, tzinfo=UTC)


def report(days: int = 7, now: datetime = NOW) -> Report:
    with context(all_teams="on"):
        return security_report(days, now=now)


def happen(*event_types: EventType, ago: timedelta = timedelta(0), **values: Any) -> None:
    """Record events as if so long before NOW."""
    with time_machine.travel(NOW - ago - timedelta(minutes=1), tick=False):
        for event_type in event_types:
            record_event(event_type, **values)


def test_events_of_all_teams_are_counted_by_the_hour(
    alice: Membership, mallory: Membership
) -> None:
    for member in (alice, mallory):
        happen(EventType.SIGN_IN_FAILED, user_id=member.user_id, team_id=member.team_id)
    happen(EventType.SIGN_IN_SUCCEEDED, ago=timedelta(hours=2))
    happen(EventType.SIGN_IN_SUCCEEDED, ago=timedelta(days=8))
    found = report()
    assert (found.totals["sign_ins"], found.totals["failures"]) == (1, 2)
    counted = {bucket.begin.hour: bucket.counts for bucket in found.buckets if bucket.counts}
    assert counted == {10: {"sign_ins": 1}, 12: {"failures": 2}}
    assert len(found.buckets) == 7 * 24


@pytest.mark.parametrize(
    ("days", "hours", "begin", "count"),
    [
        (1, 1, datetime(2026, 11, 17, 13, tzinfo=UTC), 24),
        (30, 6, datetime(2026, 10, 19, 18, tzinfo=UTC), 120),
        (366, 24, datetime(2025, 11, 18, tzinfo=UTC), 366),
    ],
)
def test_a_period_is_divided_into_whole_stretches(
    db: None, days: int, hours: int, begin: datetime, count: int
) -> None:
    period = period_of(days, NOW)
    assert (period.bucket_hours, period.since) == (hours, begin)
    assert len(report(days).buckets) == count


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_period_without_end_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 366"):
        period_of(days, NOW)


def test_every_kind_has_a_label() -> None:
    assert LABELS.keys() == KINDS.keys()


def test_too_many_events_are_counted_up_to_a_limit(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST_COUNTED", 3)
    happen(EventType.SIGN_IN_FAILED, ago=timedelta(days=2))
    for hours in range(3):
        happen(EventType.SIGN_IN_FAILED, ago=timedelta(hours=hours))
    found = report()
    assert (found.totals["failures"], found.is_complete) == (3, False)
    assert found.counted_since == NOW - timedelta(hours=2, minutes=1)


def test_the_addresses_refused_most_come_first(as_stranger: Any, alice: Membership) -> None:
    for number, address in ((1, "198.51.100.1"), (2, "198.51.100.2")):
        for _ in range(number):
            body = {"email": f"nobody{number}@example.com", "password": "Wrong-Password-1"}
            as_stranger.post_json("/v1/auth/login", body, REMOTE_ADDR=address)
    found = report(now=timezone.now())
    listed = [(one.ip_address, one.refusals) for one in found.top_addresses]
    assert listed == [("198.51.100.2", 2), ("198.51.100.1", 1)]


def test_what_is_critical_or_suspicious_is_to_be_looked_at(alice: Membership) -> None:
    about_alice: dict[str, Any] = {"user_id": alice.user_id, "team_id": alice.team_id}
    happen(EventType.TOKEN_REUSED, **about_alice)
    found = {"rule": "brute_force", "subject": "alice@example.com 198.51.100.1"}
    happen(EventType.SUSPICIOUS_ACTIVITY, ago=timedelta(hours=1), **about_alice, **found)
    happen(EventType.SIGN_IN_FAILED)
    named = [(one.event_type, one.user_email) for one in report().suspicions]
    email = "alice@example.com"
    assert named == [("token.reused", email), ("suspicious_activity", email)]
    assert report().suspicions[1].message == "brute force: alice@example.com 198.51.100.1"


def test_keys_that_end_soon_and_blocks_in_force_are_counted(alice: Membership) -> None:
    for days in (3, 60):
        issue_key(
            team_id=alice.team_id,
            owner_id=alice.user_id,
            name=f"ends in {days}",
            scopes={"clients": ["read"]},
            expires_at=timezone.now() + timedelta(days=days),
        )
    block_network("198.51.100.0/24", by="staff@example.com")
    found = report(now=timezone.now())
    assert [key.name for key in found.first_ending_keys] == ["ends in 3"]
    assert (found.ending_keys, found.active_blocks) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_chains_state_is_told(alice: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    make_record(Client, alice)
    assert run("seal_audit").is_ok
    assert run("verify_audit").is_ok
    make_record(Client, alice)
    state = report(now=timezone.now()).chain
    assert (state.chains, state.waiting_entries, state.problems) == (1, 1, 0)
    assert state.sealed_entries == state.verified_entries
    assert state.sealed_up_to < state.waiting_since  # type: ignore[operator]  # both are known
    monkeypatch.setattr(chain, "MOST_WAITING", 1)
    assert report(now=timezone.now()).chain.is_more_waiting


@pytest.mark.django_db(transaction=True)
def test_only_a_verification_of_all_teams_is_remembered(alice: Membership) -> None:
    assert run("verify_audit", "--team", str(alice.team_id)).is_ok
    assert not AuditVerification.objects.exists()
    assert run("verify_audit").is_ok
    assert AuditVerification.objects.get().problems == 0


def printed(*arguments: str) -> str:
    output = io.StringIO()
    call_command("security_report", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_prints_the_figures(alice: Membership) -> None:
    record_event(EventType.SIGN_IN_FAILED, user_id=alice.user_id)
    text = printed("--days", "1")
    assert "Failed sign-ins                  1" in text
    assert "Verified: never; run verify_audit" in text


def test_the_command_prints_one_json_object(alice: Membership) -> None:
    record_event(EventType.TOKEN_REUSED, user_id=alice.user_id)
    found = json.loads(printed("--json"))
    assert found["totals"]["thefts"] == 1
    assert found["is_complete"] is True
    assert found["suspicions"][0]["user_email"] == "alice@example.com"


def test_the_command_opens_the_recorded_door(db: None) -> None:
    printed()
    (event,) = stored_events(EventType.ALL_TEAMS_OPENED)
    assert event.metadata["reason"] == "security report, 7 days"


@pytest.mark.parametrize("days", ["0", "367"])
def test_the_command_refuses_other_periods(db: None, days: str) -> None:
    with pytest.raises(CommandError, match="--days must be between 1 and 366"):
        printed("--days", days)
