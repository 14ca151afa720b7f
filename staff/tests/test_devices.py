"""Devices and locks in the admin."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Device, Lockout, Membership, User
from accounts.tests.calls import code_of, fail_to_sign_in, me, sign_in, token_of
from accounts.tests.factories import make_device, make_user
from conftest import ApiClient
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import page, run_action, text_of


def test_staff_revoke_a_device_and_what_signed_in_on_it(
    as_staff: Client, alice: Membership, as_stranger: ApiClient
) -> None:
    token = token_of(sign_in(as_stranger))
    device = Device.objects.get()
    assert run_action(as_staff, "accounts_device", "revoke_selected", device).status_code == 302
    device.refresh_from_db()
    assert device.revoked_at is not None
    assert me(token).status_code == 401
    answer = as_staff.get(f"{page('accounts_device_changelist')}?state=known")
    assert list(answer.context["cl"].result_list) == []


def test_devices_are_read_only_and_show_nothing_stored_of_their_tokens(
    as_staff: Client, alice: Membership
) -> None:
    device = make_device(alice.user, trust_fingerprint="f" * 64)
    address = page("accounts_device_change", device.pk)
    shown = text_of(as_staff.get(address))
    assert device.token_hash not in shown
    assert "f" * 64 not in shown
    assert as_staff.post(address, {}).status_code == 403
    assert as_staff.get(page("accounts_device_add")).status_code == 403
    assert as_staff.post(page("accounts_device_delete", device.pk)).status_code == 403
    found = as_staff.get(f"{page('accounts_device_changelist')}?token_hash__startswith=a")
    assert found.status_code == 400


def test_staff_do_not_revoke_devices_of_staff(alice: Membership) -> None:
    helper = make_user("helper@example.com", is_staff=True)
    helper.user_permissions.set(Permission.objects.all())
    as_helper = admin_browser(helper)
    device = make_device(User.objects.create_superuser("root@example.com"))
    run_action(as_helper, "accounts_device", "revoke_selected", device, make_device(alice.user))
    assert list(Device.objects.known()) == [device]


@pytest.mark.parametrize("name", ["axes_accessattempt", "accounts_lockout"])
def test_deleting_a_counter_of_a_device_unlocks_the_account(
    as_staff: Client, alice: Membership, name: str
) -> None:
    browser = ApiClient()
    sign_in(browser)
    fail_to_sign_in(browser, times=5)
    row: Any = (AccessAttempt if name == "axes_accessattempt" else Lockout).objects.get()
    shown = as_staff.get(page(f"{name}_changelist"))
    assert "alice@example.com" in text_of(shown)
    as_staff.post(page(f"{name}_delete", row.pk), {"post": "yes"})
    assert code_of(sign_in(browser)) == (200, None)
    assert not Lockout.objects.exists()


def test_a_counter_whose_device_is_gone_is_deleted(as_staff: Client, alice: Membership) -> None:
    browser = ApiClient()
    sign_in(browser)
    fail_to_sign_in(browser, times=5)
    Device.objects.all().delete()
    run_action(as_staff, "accounts_lockout", "delete_selected", Lockout.objects.get(), post="yes")
    assert not AccessAttempt.objects.exists()


def test_the_list_of_users_shows_a_lock(as_staff: Client, alice: Membership) -> None:
    fail_to_sign_in(ApiClient(), times=5)
    AccessAttempt.objects.all().delete()
    answer = as_staff.get(page("accounts_user_changelist"))
    may_sign_in = {user.email: user.is_locked for user in answer.context["cl"].result_list}
    assert may_sign_in == {"alice@example.com": True, "staff@example.com": False}
