"""Mails about keys: to the owner when one is made, replaced or revoked, and before it ends."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction

from accounts.models import Membership, User
from accounts.tests.factories import make_member
from conftest import ApiClient
from security.access.roles import Role
from security.api_keys.expiry import warn_of_expiring_keys
from security.api_keys.services import IssuedKey, issue_key
from security.models import ApiKey, ApiKeyNotice
from tests.threads import at_once

RunJobs = Callable[[], list[str]]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def clock(db: None) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def mailed(run_jobs: RunJobs) -> Callable[[], list[tuple[str, str]]]:
    """Run what is queued and return (receiver, subject) of what was mailed."""

    def run() -> list[tuple[str, str]]:
        mail.outbox.clear()
        run_jobs()
        return sorted((message.to[0], str(message.subject)) for message in mail.outbox)

    return run


Mailed = Callable[[], list[tuple[str, str]]]


def key_of(owner: Membership, *, life: timedelta) -> ApiKey:
    values: dict[str, Any] = {"team_id": owner.team_id, "owner_id": owner.user_id}
    end = datetime.now(tz=UTC) + life
    return issue_key(name="Website", scopes={}, expires_at=end, **values).api_key


def test_the_owner_hears_of_each_change(as_alice: ApiClient, mailed: Mailed) -> None:
    body = {"name": "Website", "scopes": {"clients": ["read"]}}
    key_id = as_alice.post_json("/v1/api-keys", body).json()["data"]["id"]
    assert mailed() == [("alice@example.com", "An API key was made in your name")]
    assert "Harbor Realty" in str(mail.outbox[0].body)
    as_alice.post_json(f"/v1/api-keys/{key_id}/rotate", {})
    assert mailed() == [("alice@example.com", "An API key of yours was replaced")]
    for _ in range(2):
        as_alice.delete(f"/v1/api-keys/{key_id}")
    assert mailed() == [("alice@example.com", "An API key of yours was revoked")]


def test_a_refused_change_is_told_to_nobody(as_alice: ApiClient, mailed: Mailed) -> None:
    with transaction.atomic():
        as_alice.post_json("/v1/api-keys", {"name": "Website", "scopes": {}})
        transaction.set_rollback(True)
    assert mailed() == []


def test_mails_hold_no_secret(key: IssuedKey, mailed: Mailed) -> None:
    assert len(mailed()) == 1
    message: Any = mail.outbox[0]
    assert f"…{key.written[-4:]}" in message.body
    secret = key.written.split("_")[2]
    assert secret not in str(message.message())


def test_an_end_is_told_thirty_seven_and_one_days_ahead(
    bob: Membership, alice: Membership, mailed: Mailed, clock: time_machine.Traveller
) -> None:
    key_of(bob, life=timedelta(days=90))
    mailed()
    told = []
    for day in range(91):
        clock.move_to(NOW + timedelta(days=day, minutes=1))
        for _ in range(2):
            warn_of_expiring_keys()
        if receivers := [receiver for receiver, _ in mailed()]:
            told.append((90 - day, receivers))
    both = ["alice@example.com", "bob@example.com"]
    assert told == [(30, both), (7, both), (1, both)]


def test_an_address_that_is_not_verified_gets_no_mail(
    bob: Membership, alice: Membership, mailed: Mailed, clock: time_machine.Traveller
) -> None:
    User.objects.filter(pk=bob.user_id).update(email_verified_at=None)
    key_of(bob, life=timedelta(days=31))
    assert mailed() == []
    clock.shift(timedelta(days=25))
    warn_of_expiring_keys()
    assert mailed() == [("alice@example.com", "An API key will soon end")]


def test_a_run_that_was_missed_is_made_up_for_once(
    alice: Membership, mailed: Mailed, clock: time_machine.Traveller
) -> None:
    key_of(alice, life=timedelta(days=90))
    mailed()
    clock.shift(timedelta(days=85))
    assert warn_of_expiring_keys() == 1
    assert warn_of_expiring_keys() == 0
    assert mailed() == [("alice@example.com", "An API key will soon end")]
    assert "within 7 days" in str(mail.outbox[0].body)


def test_an_end_that_is_moved_is_told_anew(
    alice: Membership, clock: time_machine.Traveller
) -> None:
    api_key = key_of(alice, life=timedelta(days=31))
    clock.shift(timedelta(days=25))
    assert warn_of_expiring_keys() == 1
    ApiKey.objects.filter(pk=api_key.pk).update(expires_at=NOW + timedelta(days=90))
    assert warn_of_expiring_keys() == 0
    clock.shift(timedelta(days=60))
    assert warn_of_expiring_keys() == 1


def test_no_mail_about_keys_that_end_as_somebody_wanted(
    alice: Membership, clock: time_machine.Traveller, as_alice: ApiClient
) -> None:
    rotated, revoked = (key_of(alice, life=timedelta(days=60)) for _ in range(2))
    assert as_alice.post_json(f"/v1/api-keys/{rotated.pk}/rotate", {}).status_code == 201
    assert as_alice.delete(f"/v1/api-keys/{revoked.pk}").status_code == 200
    short = key_of(alice, life=timedelta(days=5))
    assert warn_of_expiring_keys() == 0
    clock.shift(timedelta(days=4, minutes=1))
    assert warn_of_expiring_keys() == 1
    assert ApiKeyNotice.objects.get().api_key_id == short.pk


def test_nobody_is_told_of_a_key_whose_owner_has_no_access(
    alice: Membership, clock: time_machine.Traveller
) -> None:
    gone = make_member(alice.team, "gone@example.com", Role.ADMIN)
    removed = make_member(alice.team, "removed@example.com")
    for owner in (gone, removed):
        key_of(owner, life=timedelta(days=31))
    User.objects.filter(pk=gone.user_id).update(is_active=False)
    Membership.objects.filter(pk=removed.pk).delete()
    clock.shift(timedelta(days=5))
    assert warn_of_expiring_keys() == 0


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_tell_it_once(alice: Membership) -> None:
    with time_machine.travel(datetime.now(tz=UTC) - timedelta(days=60)):
        key_of(alice, life=timedelta(days=65))
    assert sorted(at_once(4, lambda _: warn_of_expiring_keys())) == [0, 0, 0, 1]
