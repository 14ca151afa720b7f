"""A trusted device leaves out the second factor for thirty days, and not a change longer."""

import datetime

import pytest
import time_machine
from django.utils import timezone

from accounts.devices.trust import (
    device_with_own_count,
    end_trust,
    is_trusted,
    note_second_factor,
)
from accounts.models import Device, Membership, User
from accounts.tests.calls import refresh_with, sign_in_app
from accounts.tests.factories import make_device
from conftest import ApiClient

FACTORS = "totp:1"


def prove(device: Device, user: User, *, trusted: bool = True) -> datetime.datetime | None:
    return note_second_factor(user=user, device_id=device.pk, factors=FACTORS, is_trusted=trusted)


@pytest.fixture
def device(alice: Membership) -> Device:
    made = make_device(alice.user)
    assert prove(made, alice.user) is not None
    made.refresh_from_db()
    return made


def test_a_trusted_device_is_trusted_for_thirty_days(device: Device) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert is_trusted(user=device.user, device=device, factors=FACTORS)
        clock.shift(datetime.timedelta(days=30))
        assert not is_trusted(user=device.user, device=device, factors=FACTORS)


def test_a_new_password_or_factor_ends_the_trust(device: Device) -> None:
    assert not is_trusted(user=device.user, device=device, factors="totp:2")
    device.user.set_password("Another-Horse-Battery-7")
    assert not is_trusted(user=device.user, device=device, factors=FACTORS)


def test_trust_is_the_owners_alone(device: Device, bob: Membership) -> None:
    assert not is_trusted(user=bob.user, device=device, factors=FACTORS)
    assert not is_trusted(user=bob.user, device=None, factors=FACTORS)
    assert prove(device, bob.user) is None
    Device.objects.update(user=bob.user)
    assert not is_trusted(user=bob.user, device=Device.objects.get(), factors=FACTORS)


def test_a_revoked_device_is_not_trusted_again(device: Device) -> None:
    Device.objects.filter(pk=device.pk).revoke()
    device.refresh_from_db()
    assert (device.trusted_until, device.trust_fingerprint) == (None, "")
    assert not is_trusted(user=device.user, device=device, factors=FACTORS)
    assert prove(device, device.user) is None


def test_ending_trust_leaves_the_device_known(device: Device) -> None:
    assert end_trust(user_id=device.user_id) == 1
    device.refresh_from_db()
    assert (device.revoked_at, device.is_trust_running) == (None, False)
    assert User.objects.get().devices.known().count() == 1


def test_a_stolen_refresh_token_ends_the_trust(device: Device, as_stranger: ApiClient) -> None:
    used = sign_in_app(as_stranger)["refreshToken"]
    refresh_with(refresh_with(used).json()["data"]["refreshToken"])
    assert refresh_with(used).status_code == 401
    device.refresh_from_db()
    assert (device.trusted_until, device.revoked_at) == (None, None)


def test_a_proved_device_has_its_own_count_until_the_factors_change(
    alice: Membership,
) -> None:
    device = make_device(alice.user)
    assert device_with_own_count(user=alice.user, device=device, factors=FACTORS) is None
    assert prove(device, alice.user, trusted=False) is None
    device.refresh_from_db()
    assert device_with_own_count(user=alice.user, device=device, factors=FACTORS) == device.pk
    assert not is_trusted(user=alice.user, device=device, factors=FACTORS)
    assert device_with_own_count(user=alice.user, device=device, factors="totp:2") is None
    alice.user.set_password("Another-Horse-Battery-7")
    assert device_with_own_count(user=alice.user, device=device, factors=FACTORS) == device.pk


def test_an_own_count_is_the_owners_alone(device: Device, bob: Membership) -> None:
    assert device_with_own_count(user=bob.user, device=device, factors=FACTORS) is None
    assert device_with_own_count(user=device.user, device=None, factors=FACTORS) is None
    Device.objects.filter(pk=device.pk).revoke()
    device.refresh_from_db()
    assert device_with_own_count(user=device.user, device=device, factors=FACTORS) is None
