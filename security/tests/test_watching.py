"""Each rule fires at its number, not just below it, and once for a subject and an hour."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction

from accounts.models import Membership
from accounts.sessions import refresh as refresh_flow
from accounts.tests.calls import fail_to_sign_in, refresh_with, sign_in, sign_in_app
from accounts.tests.factories import open_session
from conftest import ApiClient
from crm.db.isolation import isolation_problems
from crm.db.tenancy import context, team_context
from security.api_keys.services import IssuedKey
from security.events.types import EventType
from security.models import ApiKey, ApiKeyUsage, Finding, Watermark
from security.tests.events import stored_events
from security.tests.happenings import FAILED, NOW, SIGNED_IN, happen, whom
from security.watching.watcher import Found, watch_events
from tests.plain_sql import fetch_all
from tests.threads import at_once

USER = uuid4()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr(refresh_flow, "GATHER_SECONDS", 0)
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def names(found: list[Found]) -> list[str]:
    return [finding.rule.name for finding in found]


def test_brute_force_is_found_at_the_fifth_failure(alice: Membership) -> None:
    client = ApiClient()
    fail_to_sign_in(client, times=4)
    assert watch_events() == []
    fail_to_sign_in(client)
    (found,) = watch_events()
    assert found.rule.name == "brute_force"
    assert (found.subject, found.total) == ("127.0.0.1 alice@example.com", 5)
    assert (found.user_id, found.team_id) == (alice.user_id, alice.team_id)
    (event,) = stored_events(EventType.SUSPICIOUS_ACTIVITY)
    assert (event.team_id, event.user_email) == (alice.team_id, "alice@example.com")
    assert event.metadata == {"rule": "brute_force", "subject": found.subject, "count": 5}


@pytest.mark.parametrize(
    ("changed", "ago"),
    [
        ({"email": "bob@example.com"}, timedelta(0)),
        ({"ip_address": "203.0.113.8"}, timedelta(0)),
        ({}, timedelta(hours=24, seconds=1)),
    ],
)
def test_four_failures_and_another_are_no_brute_force(
    db: None, changed: dict[str, Any], ago: timedelta
) -> None:
    for _ in range(4):
        happen(FAILED, email="alice@example.com")
    happen(FAILED, **{"email": "alice@example.com", "ago": ago, **changed})
    assert watch_events() == []


def test_wrong_codes_count_as_wrong_passwords_do(alice: Membership) -> None:
    for _ in range(4):
        happen(FAILED, **whom(alice), email="alice@example.com")
    happen(EventType.MFA_FAILED, **whom(alice), user_email="alice@example.com")
    assert names(watch_events()) == ["brute_force"]


def test_staff_who_sign_in_from_elsewhere_are_told(db: None) -> None:
    happen(EventType.ADMIN_SIGNED_IN, user_id=USER, ago=timedelta(days=3))
    happen(EventType.ADMIN_SIGNED_IN, user_id=USER, ip_address="198.51.100.7")
    assert names(watch_events()) == ["new_network"]


def test_addresses_of_one_ipv6_subscriber_count_together(db: None) -> None:
    for number in range(5):
        happen(FAILED, email="x@example.com", ip_address=f"2001:db8:1:2:{number}::1")
    assert [found.subject for found in watch_events()] == ["2001:db8:1:2:: x@example.com"]
    for number in range(5):
        happen(FAILED, email="y@example.com", ip_address=f"2001:db8:1:{number}::1")
    assert watch_events() == []


def test_spraying_is_told_to_each_team_that_is_concerned(
    alice: Membership, mallory: Membership
) -> None:
    client = ApiClient()
    emails = [f"person{number}@example.com" for number in range(7)]
    for email in ["alice@example.com", "mallory@example.com", *emails]:
        fail_to_sign_in(client, email)
    assert watch_events() == []
    fail_to_sign_in(client, "one-more@example.com")
    found = watch_events()
    assert names(found) == ["spraying"] * 3
    assert {finding.team_id for finding in found} == {alice.team_id, mallory.team_id, None}
    assert {(finding.subject, finding.total) for finding in found} == {("127.0.0.1", 10)}


def test_ten_emails_in_more_than_an_hour_are_no_spraying(db: None) -> None:
    for number in range(10):
        happen(FAILED, email=f"{number}@example.com", ago=timedelta(minutes=7 * number))
    assert watch_events() == []
    happen(FAILED, email="10@example.com")
    assert names(watch_events()) == ["spraying"]


def test_the_eleventh_refresh_of_a_session_in_an_hour_is_found(
    alice: Membership, bob: Membership
) -> None:
    tokens = [
        sign_in_app(ApiClient(), member.user.email)["refreshToken"] for member in (alice, bob)
    ]
    for count, token in zip((11, 10), tokens, strict=True):
        for _ in range(count):
            token = refresh_with(token).json()["data"]["refreshToken"]
    (found,) = watch_events()
    assert (found.rule.name, found.user_id, found.total) == ("many_refreshes", alice.user_id, 11)


def test_a_sign_in_from_a_new_network_is_found_but_not_the_first(
    alice: Membership, clock: time_machine.Traveller
) -> None:
    browser = ApiClient()
    for address in ("198.51.100.7", "198.51.100.200", "203.0.113.9"):
        assert watch_events() == []
        clock.shift(60)
        browser.defaults["REMOTE_ADDR"] = address
        assert sign_in(browser).status_code == 200
    (found,) = watch_events()
    assert (found.rule.name, found.user_id) == ("new_network", alice.user_id)
    assert found.subject == f"{alice.user_id} 203.0.113.0/24"


def test_a_sign_in_with_a_new_device_is_found_but_not_the_first(
    alice: Membership, clock: time_machine.Traveller
) -> None:
    # An app without a device token looks the same the second time.
    for device_name in ("Phone", "Phone", "Tablet"):
        assert watch_events() == []
        clock.shift(60)
        assert sign_in(ApiClient(), deviceName=device_name).status_code == 200
    (found,) = watch_events()
    assert (found.rule.name, found.subject) == ("new_device", str(alice.user_id))


def test_a_network_is_forgotten_after_ninety_days(alice: Membership) -> None:
    happen(SIGNED_IN, **whom(alice), ago=timedelta(days=91))
    happen(SIGNED_IN, **whom(alice), ago=timedelta(days=5), ip_address="198.51.100.7")
    happen(SIGNED_IN, **whom(alice))
    assert names(watch_events()) == ["new_network"]


def test_the_eleventh_live_session_is_found(alice: Membership) -> None:
    for _ in range(9):
        open_session(alice)
    open_session(alice, revoked_at=NOW)
    open_session(alice, last_seen_at=NOW - timedelta(days=8))
    open_session(alice, expires_at=NOW)
    sign_in(ApiClient())
    assert watch_events() == []
    sign_in(ApiClient())
    (found,) = watch_events()
    assert (found.rule.name, found.user_id, found.total) == (
        "concurrent_sessions",
        alice.user_id,
        11,
    )


def use(key: IssuedKey, counts: dict[int, int]) -> None:
    """Let a key be used so often so many days ago."""
    ApiKey.objects.filter(pk=key.api_key.pk).update(created_at=NOW - timedelta(days=30))
    with team_context(key.api_key.team_id):
        for days, count in counts.items():
            ApiKeyUsage.objects.create(
                team_id=key.api_key.team_id,
                api_key_id=key.api_key.pk,
                day=(NOW - timedelta(days=days)).date(),
                request_count=count,
                refused_count=0,
            )


@pytest.mark.parametrize(
    ("counts", "is_found"),
    [
        ({0: 1000}, True),
        ({0: 999}, False),
        ({0: 3501, 1: 4900}, True),
        ({0: 3500, 1: 4900}, False),
        ({0: 3500, 8: 99_999}, True),
    ],
)
def test_a_key_is_compared_with_its_own_last_seven_days(
    key: IssuedKey, counts: dict[int, int], is_found: bool
) -> None:
    use(key, counts)
    found = watch_events()
    # Yesterday's 4,900 calls were a spike of yesterday, with nothing before it.
    today = [f for f in found if f.total == counts[0]]
    assert names(today) == (["key_spike"] if is_found else [])
    assert {f.subject for f in found} <= {key.api_key.key_id}


def test_a_key_of_less_than_seven_days_has_nothing_to_be_compared_with(key: IssuedKey) -> None:
    use(key, {0: 99_999})
    ApiKey.objects.update(created_at=NOW - timedelta(days=6))
    assert watch_events() == []


def test_a_theft_is_found(alice: Membership, clock: time_machine.Traveller) -> None:
    first = sign_in_app(ApiClient())["refreshToken"]
    refresh_with(first)
    clock.shift(5)
    refresh_with(first)
    assert names(watch_events()) == ["theft"]


def test_a_subject_is_found_once_an_hour(db: None, clock: time_machine.Traveller) -> None:
    for _ in range(5):
        happen(FAILED, email="alice@example.com")
    assert names(watch_events()) == ["brute_force"]
    happen(FAILED, email="alice@example.com")
    assert watch_events() == []
    clock.shift(3600)
    assert watch_events() == []
    happen(FAILED, email="alice@example.com", ago=timedelta(hours=-1))
    assert names(watch_events()) == ["brute_force"]
    with context(all_teams="on"):
        hours = list(Finding.objects.order_by("hour").values_list("hour", flat=True))
    assert hours == [NOW.replace(minute=0), NOW.replace(minute=0, hour=13)]


def test_a_run_that_comes_late_finds_what_happened_meanwhile(db: None) -> None:
    for minutes in range(11):
        happen(
            EventType.TOKEN_REFRESHED,
            user_id=uuid4() if minutes == 0 else USER,
            session_id="a",
            ago=timedelta(hours=30, minutes=minutes),
        )
    assert watch_events() == []
    happen(
        EventType.TOKEN_REFRESHED, user_id=USER, session_id="a", ago=timedelta(hours=30, minutes=20)
    )
    assert names(watch_events()) == ["many_refreshes"]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_committed_late_is_not_missed(db: None) -> None:
    def run(number: int) -> int:
        if number == 0:
            with transaction.atomic():
                for _ in range(5):
                    happen(FAILED, email="late@example.com", ago=timedelta(minutes=9))
                inserted.wait(20)
                watched.wait(20)
            return 0
        inserted.wait(20)
        happen(FAILED, email="early@example.com")
        count = len(watch_events()) + len(watch_events())
        watched.wait(20)
        return count

    inserted, watched = Barrier(2), Barrier(2)
    assert at_once(2, run) == [0, 0]
    assert [found.subject for found in watch_events()] == ["203.0.113.7 late@example.com"]


@pytest.mark.django_db(transaction=True)
def test_sixteen_workers_at_once_find_a_thing_once(db: None) -> None:
    for _ in range(5):
        happen(FAILED, email="alice@example.com")
    found = at_once(16, lambda _: len(watch_events()))
    assert sorted(found) == [0] * 15 + [1]
    assert len(stored_events(EventType.SUSPICIOUS_ACTIVITY)) == 1


@pytest.mark.django_db(transaction=True)
def test_finished_events_are_not_looked_at_again(db: None) -> None:
    happen(FAILED, email="alice@example.com")
    watch_events()
    before = Watermark.objects.get().transaction_id
    (numbers,) = fetch_all("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    assert before <= numbers[0]
    with context(all_teams="on"):
        (newest,) = fetch_all("SELECT max(transaction_id) FROM security_event")
    assert newest[0] < before


def test_after_a_restore_events_are_found_again(db: None) -> None:
    watch_events()
    Watermark.objects.update(transaction_id=2**60)
    for _ in range(5):
        happen(FAILED, email="alice@example.com")
    assert names(watch_events()) == ["brute_force"]
    assert Watermark.objects.get().transaction_id < 2**60


def test_a_team_sees_its_own_findings_alone(alice: Membership, mallory: Membership) -> None:
    for member in (alice, mallory):
        happen(EventType.TOKEN_REUSED, **whom(member), session_id=str(uuid4()))
    assert len(watch_events()) == 2
    with context(team_id="", all_teams=""):
        assert fetch_all("SELECT 1 FROM security_finding") == []
    with team_context(alice.team_id):
        assert fetch_all("SELECT team_id FROM security_finding") == [(alice.team_id,)]
    assert isolation_problems() == []
