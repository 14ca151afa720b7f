"""Security events in the staff admin: superusers read them, nobody changes them."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership
from accounts.tests.factories import make_user
from security.events.collector import record_event
from security.events.types import EventType
from security.tests.events import stored_events
from staff.pages import events as events_page
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import page, text_of

LIST = "security_securityevent_changelist"


def rows(answer: Any) -> list[str]:
    """Return whom the listed events are about."""
    return [event.user_email for event in answer.context["cl"].result_list if event.user_email]


@pytest.fixture
def failures(alice: Membership, mallory: Membership) -> None:
    for member in (alice, mallory):
        record_event(EventType.SIGN_IN_FAILED, user_id=member.user_id, team_id=member.team_id)


def test_a_superuser_reads_the_events_of_all_teams(failures: None, as_staff: Any) -> None:
    answer = as_staff.get(page(LIST))
    assert rows(answer)[-2:] == ["mallory@example.com", "alice@example.com"]
    event = stored_events(EventType.SIGN_IN_FAILED)[0]
    detail = as_staff.get(page("security_securityevent_change", event.pk))
    assert "alice@example.com" in text_of(detail)
    assert 'name="_save"' not in text_of(detail)


def test_nobody_adds_changes_or_deletes_an_event(failures: None, as_staff: Any) -> None:
    event = stored_events(EventType.SIGN_IN_FAILED)[0]
    names = ("security_securityevent_change", "security_securityevent_delete")
    for path in (page("security_securityevent_add"), *(page(name, event.pk) for name in names)):
        assert as_staff.post(path, {"message": "x", "post": "yes"}).status_code == 403
    assert stored_events(EventType.SIGN_IN_FAILED)[0].message == event.message


def test_staff_who_are_no_superusers_read_none(failures: None) -> None:
    browser = admin_browser(make_user("helper@example.com", is_staff=True))
    assert browser.get(page(LIST)).status_code == 403
    assert stored_events(EventType.PERMISSION_DENIED)[0].user_email == "helper@example.com"


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"q": " Alice@example.com"}, ["alice@example.com"]),
        ({"q": "nobody@example.com"}, []),
        ({"q": "192.0.2.1"}, []),
        ({"q": "no-such-request"}, []),
        ({"severity": "critical"}, []),
        ({"category": "authentication"}, ["mallory@example.com", "alice@example.com"]),
        ({"event_type": "account.locked"}, []),
    ],
)
def test_events_are_found(
    failures: None, as_staff: Any, parameters: dict[str, str], found: list[str]
) -> None:
    assert rows(as_staff.get(page(LIST), parameters)) == found


def test_the_list_counts_no_further_than_it_shows(
    failures: None, as_staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_page, "MOST_LISTED", 1)
    with CaptureQueriesContext(connection) as queries:
        answer = as_staff.get(page(LIST))
    assert answer.context["cl"].paginator.count == 1
    assert all(
        "LIMIT" in q["sql"] for q in queries if "COUNT(*)" in q["sql"] and "security_ev" in q["sql"]
    )


def test_the_date_hierarchy_reads_no_row_to_name_its_periods(
    alice: Membership, as_staff: Any
) -> None:
    for moment in (datetime(2025, 11, 30, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)):
        with time_machine.travel(moment):
            record_event(EventType.SIGN_IN_FAILED, user_id=alice.user_id)
    with CaptureQueriesContext(connection) as queries:
        answer = as_staff.get(page(LIST), {"event_type": "sign_in.failed"})
    assert "DATE_TRUNC" not in str(list(queries))
    assert "2025" in text_of(answer)
    months = as_staff.get(page(LIST), {"created_at__year": "2026"})
    assert "February" in text_of(months)


@pytest.mark.parametrize(
    ("kind", "first", "last", "expected"),
    [
        ("year", (2025, 12, 31), (2027, 1, 1), [(2025, 1, 1), (2026, 1, 1), (2027, 1, 1)]),
        ("month", (2025, 12, 31), (2026, 1, 1), [(2025, 12, 1), (2026, 1, 1)]),
        ("day", (2025, 12, 31), (2026, 1, 1), [(2025, 12, 31), (2026, 1, 1)]),
    ],
)
def test_periods_go_from_the_first_to_the_last(
    kind: str, first: tuple[int, int, int], last: tuple[int, int, int], expected: Any
) -> None:
    begin, end = (datetime(year, month, day, 12, tzinfo=UTC) for year, month, day in (first, last))
    found = list(events_page._periods(begin, end, kind))
    assert [(p.year, p.month, p.day) for p in found] == expected
    assert {p.hour for p in found} <= {0}
