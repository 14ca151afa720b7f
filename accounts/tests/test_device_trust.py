"""A trusted device leaves out the second factor for thirty days, and not a change longer."""

import datetime

import pytest
import time_machine
from django.utils import timezone

from accounts.flows.device_trust import end_trust, is_trusted, trust_device
from accounts.models import Device, Membership, User
from accounts.tests.calls import refresh_with, sign_in_app
from accounts.tests.factories import make_device
from conftest import ApiClient

FACTORS = "totp:1"


@pytest.fixture
def device(alice: Membership) -> Device:
    made = make_device(alice.user)
    assert trust_device(user=alice.user, device_id=made.pk, factors=FACTORS) is not None
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
    assert trust_device(user=bob.user, device_id=device.pk, factors=FACTORS) is None
    Device.objects.update(user=bob.user)
    assert not is_trusted(user=bob.user, device=Device.objects.get(), factors=FACTORS)


def test_a_revoked_device_is_not_trusted_again(device: Device) -> None:
    Device.objects.filter(pk=device.pk).revoke()
    device.refresh_from_db()
    assert (device.trusted_until, device.trust_fingerprint) == (None, "")
    assert not is_trusted(user=device.user, device=device, factors=FACTORS)
    assert trust_device(user=device.user, device_id=device.pk, factors=FACTORS) is None


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
