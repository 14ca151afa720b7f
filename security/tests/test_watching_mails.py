"""Who is told of what the rules found: once, and nobody else's team."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core import mail

from accounts.models import Membership, User
from accounts.tests.factories import make_member, make_user
from crm.env import env
from security.access.roles import Role
from security.events.types import EventType
from security.jobs import watch_events
from security.models import IpBlock
from security.tests.happenings import FAILED, NOW, SIGNED_IN, happen, whom
from security.watching import telling, watcher

RunJobs = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def root(db: None) -> User:
    return make_user("root@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def watch(run_jobs: RunJobs) -> Callable[[], list[tuple[str, str]]]:
    """Run the periodic job and return what was mailed: (receiver, text)."""

    def run() -> list[tuple[str, str]]:
        mail.outbox.clear()
        watch_events()
        run_jobs()
        return sorted((message.to[0], str(message.body)) for message in mail.outbox)

    return run


Watch = Callable[[], list[tuple[str, str]]]


def steal(member: Membership) -> None:
    happen(EventType.TOKEN_REUSED, **whom(member), session_id=str(uuid4()))


def receivers(mails: list[tuple[str, str]]) -> list[str]:
    return [receiver for receiver, _ in mails]


def test_the_admins_of_the_team_are_told_and_nobody_else(
    alice: Membership, bob: Membership, mallory: Membership, root: User, watch: Watch
) -> None:
    second = make_member(alice.team, "ann@example.com", Role.ADMIN)
    for email, change in (("gone", {"is_active": False}), ("new", {"email_verified_at": None})):
        unheard = make_member(alice.team, f"{email}@example.com", Role.ADMIN)
        User.objects.filter(pk=unheard.user_id).update(**change)
    steal(bob)
    mails = watch()
    assert receivers(mails) == ["alice@example.com", second.user.email]
    assert "in the team Harbor Realty" in mails[0][1]
    assert "A used refresh token came back" in mails[0][1]
    assert "(bob@example.com)" in mails[0][1]
    assert watch() == []


def test_what_belongs_to_no_team_is_told_to_superusers(
    alice: Membership, root: User, watch: Watch
) -> None:
    for _ in range(5):
        happen(FAILED, email="nobody@example.com")
    mails = watch()
    assert receivers(mails) == ["root@example.com"]
    assert "203.0.113.7 nobody@example.com" in mails[0][1]


def test_a_team_hears_nothing_of_another_one(
    alice: Membership, mallory: Membership, watch: Watch
) -> None:
    steal(alice)
    steal(mallory)
    (to_alice, to_mallory) = watch()
    assert (to_alice[0], to_mallory[0]) == ("alice@example.com", "mallory@example.com")
    assert "mallory" not in to_alice[1]
    assert "alice" not in to_mallory[1]


def test_what_follows_within_five_minutes_is_told_in_one_mail(
    alice: Membership, watch: Watch, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOST_IN_A_MAIL", 2)
    steal(alice)
    assert len(watch()) == 1
    for _ in range(3):
        steal(alice)
    assert watch() == []
    clock.shift(301)
    ((_, text),) = watch()
    assert text.count("A used refresh token came back") == 2
    assert "And 1 more." in text


def test_a_person_is_told_of_a_new_network_at_once(bob: Membership, watch: Watch) -> None:
    happen(SIGNED_IN, **whom(bob), ago=timedelta(days=3), ip_address="198.51.100.7")
    happen(SIGNED_IN, **whom(bob))
    ((receiver, text),) = watch()
    assert receiver == "bob@example.com"
    assert "Network: 203.0.113.0/24" in text
    assert f"{NOW.astimezone(UTC):%H:%M} UTC" in text


def test_a_new_device_is_told_to_admins_and_as_nothing_else(
    alice: Membership, bob: Membership, watch: Watch
) -> None:
    happen(SIGNED_IN, **whom(bob), is_new_device=True, ago=timedelta(days=3))
    assert watch() == []
    happen(SIGNED_IN, **whom(bob), is_new_device=True, ip_address="198.51.100.7")
    ((receiver, text),) = watch()
    assert receiver == "alice@example.com"
    assert "A sign-in with a device not seen before" in text
    assert "network" not in text


def spray() -> None:
    for number in range(10):
        happen(FAILED, email=f"{number}@example.com")


def test_who_sprays_is_blocked_only_where_that_is_switched_on(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    spray()
    watch_events()
    assert not IpBlock.objects.exists()
    switched_on = dataclasses.replace(env, spraying_block_duration=timedelta(hours=1))
    monkeypatch.setattr(watcher, "env", switched_on)
    for number in range(10):
        happen(FAILED, email=f"{number}@example.com", ip_address="198.51.100.9")
        happen(FAILED, email=f"{number}@example.com", ip_address="127.0.0.1")
    watch_events()
    block = IpBlock.objects.get()
    assert (str(block.network), block.blocked_by) == ("198.51.100.9/32", "rule spraying")
    until: Any = block.blocked_until
    assert until == datetime.now(tz=UTC) + timedelta(hours=1)
