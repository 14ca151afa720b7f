"""Users in the admin: made, changed, given passwords, deactivated, unlocked."""

from typing import Any

import pytest
from django.test import Client

from accounts.guards.password_check import unlock_account
from accounts.models import Membership, Session, User
from accounts.tests.calls import code_of, fail_to_sign_in, me, sign_in
from accounts.tests.factories import PASSWORD, access_token, make_user
from conftest import ApiClient
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import initial_of, is_signed_in, page, run_action, text_of

NEW_PASSWORD = "Another-Horse-Battery-8"
LIST = "accounts_user"


def change(browser: Client, user: User, **values: Any) -> Any:
    """Send a user's form with some values changed; None unticks a box."""
    address = page("accounts_user_change", user.pk)
    form = {**initial_of(browser.get(address)), **values}
    return browser.post(address, {name: value for name, value in form.items() if value is not None})


def test_a_user_is_added_with_a_password(as_staff: Client) -> None:
    form = {
        "email": " New@Example.com ",
        "first_name": "New",
        "usable_password": "true",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    }
    assert as_staff.post(page("accounts_user_add"), form).status_code == 302
    user = User.objects.get(email="new@example.com")
    assert user.check_password(NEW_PASSWORD)
    assert not user.is_staff


@pytest.mark.parametrize("email", ["ALICE@example.com", "\uff41lice@example.com"])
def test_an_address_in_another_spelling_is_taken(
    as_staff: Client, alice: Membership, email: str
) -> None:
    form = {"email": email, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    answer = as_staff.post(page("accounts_user_add"), {**form, "usable_password": "true"})
    assert answer.status_code == 200
    assert User.objects.filter(email="alice@example.com").count() == 1


def test_a_weak_password_is_refused(as_staff: Client) -> None:
    form = {"email": "new@example.com", "password1": "short", "password2": "short"}
    answer = as_staff.post(page("accounts_user_add"), {**form, "usable_password": "true"})
    assert answer.context["adminform"].form.errors["password2"]


def test_no_page_shows_the_password_hash(as_staff: Client, alice: Membership) -> None:
    for name, *args in (("accounts_user_changelist",), ("accounts_user_change", alice.user_id)):
        assert "argon2" not in text_of(as_staff.get(page(name, *args)))
    answer = as_staff.get(f"{page('accounts_user_changelist')}?password__startswith=a")
    assert answer.status_code == 400


def test_a_set_password_ends_the_users_sessions(as_staff: Client, alice: Membership) -> None:
    token = access_token(alice)
    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    address = page("auth_user_password_change", alice.user_id)
    assert as_staff.post(address, {**form, "set-password": "1"}).status_code == 302
    alice.user.refresh_from_db()
    assert alice.user.check_password(NEW_PASSWORD)
    assert me(token).status_code == 401


def test_a_password_can_be_taken_away(as_staff: Client, alice: Membership) -> None:
    address = page("auth_user_password_change", alice.user_id)
    form = {"usable_password": "false", "unset-password": "1"}
    assert as_staff.post(address, form).status_code == 302
    alice.user.refresh_from_db()
    assert not alice.user.has_usable_password()


def test_ones_own_password_ends_the_other_sessions(staff: User) -> None:
    staff.set_password(PASSWORD)
    staff.save()
    here, elsewhere = admin_browser(staff), admin_browser(staff)
    form = {
        "old_password": PASSWORD,
        "new_password1": NEW_PASSWORD,
        "new_password2": NEW_PASSWORD,
    }
    assert here.post(page("password_change"), form).status_code == 302
    assert (is_signed_in(here), is_signed_in(elsewhere)) == (True, False)


def test_a_deactivated_user_loses_access_for_good(as_staff: Client, alice: Membership) -> None:
    token = access_token(alice)
    assert me(token).status_code == 200
    assert change(as_staff, alice.user, is_active=None).status_code == 302
    assert me(token).status_code == 401
    assert change(as_staff, alice.user, is_active="on").status_code == 302
    assert me(token).status_code == 401


def test_selected_users_are_deactivated_but_not_oneself(
    as_staff: Client, alice: Membership, staff: User
) -> None:
    token = access_token(alice)
    run_action(as_staff, LIST, "deactivate", alice.user, staff)
    assert me(token).status_code == 401
    assert is_signed_in(as_staff)


def test_nobody_takes_their_own_rights_away(as_staff: Client, staff: User) -> None:
    change(as_staff, staff, is_superuser=None, is_staff=None, is_active=None, first_name="Sam")
    staff.refresh_from_db()
    assert (staff.is_superuser, staff.is_staff, staff.is_active) == (True, True, True)
    assert staff.first_name == "Sam"


def test_who_is_staff_no_longer_loses_the_admin(as_staff: Client) -> None:
    helper = make_user("helper@example.com", is_staff=True)
    browser = admin_browser(helper)
    change(as_staff, helper, is_staff=None)
    change(as_staff, helper, is_staff="on")
    assert not is_signed_in(browser)


def test_all_sessions_of_selected_users_end(
    as_staff: Client, alice: Membership, bob: Membership, staff: User
) -> None:
    tokens = [access_token(alice), access_token(alice)]
    kept, elsewhere = access_token(bob), admin_browser(staff)
    run_action(as_staff, LIST, "end_all_sessions", alice.user, staff)
    assert [me(token).status_code for token in [*tokens, kept]] == [401, 401, 200]
    assert (is_signed_in(as_staff), is_signed_in(elsewhere)) == (True, False)


def test_a_locked_account_is_shown_and_unlocked(
    as_staff: Client, alice: Membership, as_stranger: ApiClient
) -> None:
    fail_to_sign_in(as_stranger, times=5)
    assert code_of(sign_in(as_stranger)) == (423, "ACCOUNT_LOCKED")
    users = as_staff.get(page("accounts_user_changelist")).context["cl"].result_list
    assert {user.email: user.failures for user in users}["alice@example.com"] == 5
    run_action(as_staff, LIST, "unlock", alice.user)
    assert code_of(sign_in(as_stranger)) == (200, None)
    assert not unlock_account("alice@example.com")


def test_users_are_not_deleted(as_staff: Client, alice: Membership) -> None:
    address = page("accounts_user_delete", alice.user_id)
    assert as_staff.post(address, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=alice.user_id).exists()


def test_selected_sessions_end(as_staff: Client, alice: Membership) -> None:
    tokens = [access_token(alice), access_token(alice)]
    first = Session.objects.order_by("created_at").first()
    run_action(as_staff, "accounts_session", "end_selected", first)
    assert [me(token).status_code for token in tokens] == [401, 200]
    run_action(as_staff, "accounts_session", "end_all_of_users", first)
    assert [me(token).status_code for token in tokens] == [401, 401]


@pytest.mark.parametrize(("state", "count"), [("live", 1), ("over", 1), ("", 2)])
def test_sessions_are_found_by_state(
    as_staff: Client, alice: Membership, state: str, count: int
) -> None:
    access_token(alice)
    run_action(as_staff, "accounts_session", "end_selected", Session.objects.get())
    access_token(alice)
    answer = as_staff.get(f"{page('accounts_session_changelist')}?state={state}")
    assert len(answer.context["cl"].result_list) == count


def test_sessions_are_read_only(as_staff: Client, alice: Membership) -> None:
    access_token(alice)
    session = Session.objects.get()
    assert as_staff.get(page("accounts_session_change", session.pk)).status_code == 200
    assert as_staff.post(page("accounts_session_change", session.pk), {}).status_code == 403
    assert as_staff.get(page("accounts_session_add")).status_code == 403
    assert as_staff.post(page("accounts_session_delete", session.pk)).status_code == 403
