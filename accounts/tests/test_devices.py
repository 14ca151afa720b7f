"""A complete sign-in makes its device known; its owner sees it in a list and forgets it."""

import uuid

import pytest
from django.utils import timezone

from accounts.devices.cookie import COOKIE_NAME
from accounts.devices.known_devices import revoke_all_devices
from accounts.devices.tokens import new_token
from accounts.models import Device, Membership, Session, User
from accounts.tests.calls import WRONG_PASSWORD, me, sign_in, token_of
from accounts.tests.factories import make_device
from conftest import ApiClient
from tests.wire import statements_on_the_wire

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FIELDS = {
    "id",
    "name",
    "current",
    "trusted",
    "trustedUntil",
    "userAgent",
    "ipAddress",
    "firstSeenAt",
    "lastSeenAt",
}


def devices_of(access_token: str) -> list[dict[str, object]]:
    answer = ApiClient(f"Bearer {access_token}").get("/v1/auth/devices")
    assert answer.status_code == 200
    listed: list[dict[str, object]] = answer.json()["data"]
    return listed


def forget(access_token: str, device_id: object) -> int:
    answer = ApiClient(f"Bearer {access_token}").delete(f"/v1/auth/devices/{device_id}")
    return int(answer.status_code)


def test_a_sign_in_makes_its_browser_known(alice: Membership, as_stranger: ApiClient) -> None:
    answer = sign_in(as_stranger, headers={"User-Agent": FIREFOX})
    cookie = answer.cookies[COOKIE_NAME]
    assert COOKIE_NAME == "__Host-deviceId"
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Strict")
    assert (cookie["path"], cookie["domain"], cookie["max-age"]) == ("/", "", 180 * 86400)
    (device,) = Device.objects.all()
    assert (device.user_id, device.name) == (alice.user_id, "Firefox on Linux")
    assert cookie.value not in str(vars(device))
    assert Session.objects.get().device_id == device.pk


def test_the_next_sign_in_of_the_browser_is_the_same_device(
    alice: Membership, as_stranger: ApiClient
) -> None:
    first = sign_in(as_stranger).cookies[COOKIE_NAME].value
    as_stranger.defaults["REMOTE_ADDR"] = "203.0.113.9"
    again = sign_in(as_stranger, deviceName="Desk")
    assert again.cookies[COOKIE_NAME].value == first
    (device,) = devices_of(token_of(again))
    assert device.keys() == FIELDS
    assert (device["name"], device["ipAddress"]) == ("Desk", "203.0.113.9")
    assert (device["current"], device["trusted"], device["trustedUntil"]) == (True, False, None)


def test_a_failed_sign_in_makes_nothing_known(alice: Membership, as_stranger: ApiClient) -> None:
    sign_in(as_stranger, password=WRONG_PASSWORD)
    Membership.objects.update(is_active=False)
    sign_in(as_stranger)
    assert not Device.objects.exists()
    assert COOKIE_NAME not in as_stranger.cookies


def test_people_who_share_a_browser_have_a_device_each(
    alice: Membership, bob: Membership, as_stranger: ApiClient
) -> None:
    for email in ("alice@example.com", "bob@example.com", "alice@example.com", "bob@example.com"):
        answer = sign_in(as_stranger, email)
        assert len(devices_of(token_of(answer))) == 1
    assert Device.objects.count() == 2
    assert as_stranger.cookies[COOKIE_NAME].value.count(".") == 1


def test_an_app_that_asks_gets_its_device_token_in_the_body(
    alice: Membership, as_stranger: ApiClient
) -> None:
    answer = sign_in(as_stranger, tokenDelivery="body", deviceToken="")
    token = answer.json()["data"]["deviceToken"]
    assert COOKIE_NAME not in answer.cookies
    again = sign_in(ApiClient(), tokenDelivery="body", deviceToken=token).json()["data"]
    assert again["deviceToken"] == token
    assert Device.objects.count() == 1


def test_an_app_that_does_not_ask_gets_none(alice: Membership, as_stranger: ApiClient) -> None:
    assert "deviceToken" not in sign_in(as_stranger, tokenDelivery="body").json()["data"]


def test_a_stolen_token_of_somebody_elses_makes_nobody_known(
    alice: Membership, bob: Membership, as_stranger: ApiClient
) -> None:
    token = new_token(bob.user_id)
    make_device(bob.user, token)
    as_stranger.cookies[COOKIE_NAME] = str(token)
    sign_in(as_stranger)
    assert Device.objects.get(user=alice.user).token_hash != token.hash


def test_the_list_shows_ones_own_known_devices_only(
    alice: Membership, bob: Membership, as_alice: ApiClient
) -> None:
    shown = make_device(alice.user)
    make_device(alice.user, revoked_at=timezone.now())
    make_device(bob.user)
    listed = as_alice.get("/v1/auth/devices").json()["data"]
    assert [(device["id"], device["current"]) for device in listed] == [(str(shown.pk), False)]


def test_forgetting_a_device_ends_what_signed_in_on_it(alice: Membership) -> None:
    lost, here = token_of(sign_in(ApiClient())), token_of(sign_in(ApiClient()))
    (lost_id,) = [device["id"] for device in devices_of(lost) if device["current"]]
    assert forget(here, lost_id) == 200
    assert me(lost).status_code == 401
    assert me(here).status_code == 200
    assert [device["current"] for device in devices_of(here)] == [True]
    assert forget(here, lost_id) == 404


def test_forgetting_the_device_one_uses_keeps_its_session(
    alice: Membership, as_stranger: ApiClient
) -> None:
    token = token_of(sign_in(as_stranger))
    assert forget(token, devices_of(token)[0]["id"]) == 200
    assert devices_of(token) == []
    sign_in(as_stranger)
    assert Device.objects.count() == 2  # Its token is none any more.


def test_nobody_forgets_the_devices_of_others(
    alice: Membership, mallory: Membership, as_mallory: ApiClient
) -> None:
    device = make_device(alice.user)
    for device_id in (device.pk, uuid.uuid4()):
        assert as_mallory.delete(f"/v1/auth/devices/{device_id}").status_code == 404
    device.refresh_from_db()
    assert device.revoked_at is None


def test_a_reset_forgets_every_device_of_one_person(alice: Membership, bob: Membership) -> None:
    make_device(alice.user, trusted_until=timezone.now())
    make_device(bob.user)
    assert revoke_all_devices(user_id=alice.user_id) == 1
    assert revoke_all_devices(user_id=alice.user_id) == 0
    assert Device.objects.known().values_list("user_id", flat=True).get() == bob.user_id


@pytest.mark.django_db(transaction=True)
def test_a_known_device_costs_the_sign_in_no_statement(
    alice: Membership, as_stranger: ApiClient
) -> None:
    with statements_on_the_wire() as as_new:
        sign_in(as_stranger)
    device_token = as_stranger.cookies[COOKIE_NAME].value
    with statements_on_the_wire() as as_known:
        sign_in(as_stranger, tokenDelivery="body", deviceToken=device_token)
    assert len(as_known) <= len(as_new) <= 18


def test_the_first_sign_in_of_an_account_is_nothing_to_tell(
    alice: Membership, as_stranger: ApiClient
) -> None:
    sign_in(as_stranger)
    sign_in(ApiClient())
    announced = [device.is_announced for device in Device.objects.order_by("first_seen_at")]
    assert announced == [True, False]
    assert User.objects.get().last_login is not None
