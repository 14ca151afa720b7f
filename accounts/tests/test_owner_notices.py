"""Owners hear of locks and of new devices: once, later, and only when there is an owner."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.devices.upkeep import delete_old_devices
from accounts.guards.failure_counter import note_lock, standing_of
from accounts.jobs import prune_devices, tell_owners
from accounts.models import Device, Lockout, Membership, Session, User
from accounts.models.device import MOST_DEVICES
from accounts.models.lockout import counter_name
from accounts.tests.calls import fail_to_sign_in, sign_in
from accounts.tests.factories import make_device, open_session
from conftest import ApiClient
from crm.mail.kinds import send_mail
from crm.schedule import SCHEDULE
from crm.tests.job_queue import queued_jobs

RunJobs = Callable[[], list[str]]
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}


def lock(name: str) -> None:
    note_lock(name, standing_of(name))


def test_an_owner_hears_of_a_lock_once(
    alice: Membership, as_stranger: ApiClient, run_jobs: RunJobs
) -> None:
    fail_to_sign_in(as_stranger, times=7)
    assert queued_jobs() == []  # The sign-in itself does nothing for a mail.
    tell_owners()
    tell_owners()
    assert run_jobs() == [send_mail.name]
    (message,) = mail.outbox
    assert (message.to, message.subject) == (
        ["alice@example.com"],
        "Your account was locked for a while",
    )
    until = Lockout.objects.get().locked_until + timedelta(seconds=59)
    assert f"{until:%Y-%m-%d %H:%M} UTC" in message.body
    assert "Hello Alice" in message.body


def test_what_a_device_calls_itself_is_one_line_without_links(
    alice: Membership, as_stranger: ApiClient, run_jobs: RunJobs
) -> None:
    User.objects.update(last_login=timezone.now())
    name = "line\nBcc: x\u202e\u2028https://evil.example/x www.evil.example"
    headers = {"User-Agent": "visit-www.evil.example/1.0"}
    assert sign_in(as_stranger, deviceName=name, headers=headers).status_code == 200
    assert sign_in(ApiClient(), headers=headers).status_code == 200
    assert set(Device.objects.values_list("name", flat=True)) == {
        "line Bcc: x https://evil.example/x www.evil.example",
        "Unknown device",
    }
    tell_owners()
    run_jobs()
    bodies = [str(message.body) for message in mail.outbox]
    assert "Device:  Unknown device\n" in bodies[1]
    assert "Device:  line Bcc: x https: //evil. example/x www. evil. example\n" in bodies[0]


def test_each_lock_has_its_mail(alice: Membership, run_jobs: RunJobs) -> None:
    for _ in range(2):
        lock("alice@example.com")
        tell_owners()
    lock(counter_name(make_device(alice.user, is_announced=True).pk))
    tell_owners()
    run_jobs()
    assert [message.to for message in mail.outbox] == [["alice@example.com"]] * 3
    assert ["Phone" in message.body for message in mail.outbox] == [False, False, True]


def test_nobody_hears_of_a_lock_without_an_owner(alice: Membership, bob: Membership) -> None:
    User.objects.filter(pk=alice.user_id).update(is_active=False)
    User.objects.filter(pk=bob.user_id).update(email_verified_at=None)
    for name in ("nobody@example.com", "no-address:1", "alice@example.com", "bob@example.com"):
        lock(name)
    tell_owners()
    assert queued_jobs() == []
    assert not Lockout.objects.filter(is_announced=False).exists()


def test_an_owner_hears_of_a_new_device_but_not_of_the_first(
    alice: Membership, as_stranger: ApiClient, run_jobs: RunJobs
) -> None:
    sign_in(as_stranger)
    sign_in(as_stranger)
    tell_owners()
    assert queued_jobs() == []
    other = ApiClient()
    other.defaults["REMOTE_ADDR"] = "203.0.113.7"
    sign_in(other, headers=FIREFOX)
    tell_owners()
    tell_owners()
    run_jobs()
    (message,) = mail.outbox
    assert message.subject == "You signed in on a new device"
    assert "Firefox on Linux" in message.body
    assert "203.0.113.7" in message.body


def test_an_app_without_a_device_token_is_announced_once(
    alice: Membership, run_jobs: RunJobs
) -> None:
    for _ in range(3):
        sign_in(ApiClient(), tokenDelivery="body")
    Device.objects.update(is_announced=False)
    tell_owners()
    assert run_jobs() == [send_mail.name]


def test_a_thief_who_forgets_his_device_is_announced(alice: Membership, run_jobs: RunJobs) -> None:
    make_device(alice.user, revoked_at=timezone.now())
    tell_owners()
    assert run_jobs() == [send_mail.name]


def test_devices_and_locks_that_mean_nothing_are_deleted(
    alice: Membership, bob: Membership
) -> None:
    now = timezone.now()
    old = make_device(alice.user, last_seen_at=now - timedelta(days=181))
    kept = make_device(alice.user, last_seen_at=now - timedelta(days=179))
    session = open_session(alice, device=old)
    for name, hours in (("old@example.com", 25), ("new@example.com", 23)):
        Lockout.objects.create(name=name, locked_until=now - timedelta(hours=hours))
    prune_devices()
    assert list(Device.objects.all()) == [kept]
    assert Session.objects.get(pk=session.pk).device_id is None
    assert Lockout.objects.get().name == "new@example.com"


@pytest.mark.usefixtures("db")
def test_a_person_keeps_the_last_hundred_devices(
    alice: Membership, bob: Membership, as_alice: ApiClient
) -> None:
    now = timezone.now()
    first = make_device(alice.user, last_seen_at=now - timedelta(days=1))
    Device.objects.bulk_create(
        Device(user=alice.user, token_hash=f"{number}", ip_address="127.0.0.1")
        for number in range(MOST_DEVICES)
    )
    make_device(bob.user)
    assert len(as_alice.get("/v1/auth/devices").json()["data"]) == MOST_DEVICES
    assert delete_old_devices() == 1
    assert not Device.objects.filter(pk=first.pk).exists()


def test_the_jobs_are_on_the_schedule() -> None:
    crons = {periodic.job.name: periodic.cron for periodic in SCHEDULE}
    assert crons[tell_owners.name] == "* * * * *"
    assert prune_devices.name in crons
