"""Sessions of the admin: the database holds nothing that works as a cookie; rights end them."""

import asyncio
import datetime
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session as StoredSession
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from accounts.sessions.admin_sessions import SessionStore, stored_key
from accounts.sessions.sign_out import end_sessions_by_staff
from accounts.tests.factories import make_user
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import ADMIN_COOKIE, is_signed_in, sign_in_to_admin

pytestmark = pytest.mark.django_db


@pytest.fixture
def helper() -> User:
    return make_user("helper@example.com", is_staff=True)


def stored_keys() -> set[str]:
    return set(StoredSession.objects.values_list("session_key", flat=True))


def made(**values: Any) -> SessionStore:
    store = SessionStore()
    store.update(values)
    store.create()
    store.save()
    return store


def test_the_database_holds_the_hash_of_the_cookie_only(
    helper: User, password_opens_admin: None
) -> None:
    browser = Client()
    sign_in_to_admin(browser, helper.email)
    cookie = browser.cookies[ADMIN_COOKIE].value
    (row,) = StoredSession.objects.all()
    assert row.session_key == stored_key(cookie) != cookie
    assert cookie not in row.session_data
    browser.cookies[ADMIN_COOKIE] = row.session_key
    assert not is_signed_in(browser)


def test_a_session_is_created_loaded_changed_and_deleted() -> None:
    store = made(color="red")
    again = SessionStore(store.session_key)
    assert again["color"] == "red"
    again["color"] = "blue"
    again.save()
    assert SessionStore(store.session_key)["color"] == "blue"
    assert store.exists(store.session_key or "")
    again.flush()
    assert (stored_keys(), again.session_key) == (set(), None)


def test_a_stored_key_loads_nothing() -> None:
    made(color="red")
    (key,) = stored_keys()
    thief = SessionStore(key)
    assert (thief.get("color"), thief.session_key) == (None, None)


def test_cycling_moves_the_data_and_removes_the_old_key() -> None:
    store = made(color="red")
    old = store.session_key or ""
    store.cycle_key()
    assert SessionStore(store.session_key)["color"] == "red"
    assert stored_keys() == {stored_key(store.session_key or "")}
    assert not store.exists(old)


def test_expired_sessions_load_nothing_and_are_cleared() -> None:
    store = made(color="red")
    with time_machine.travel(datetime.datetime.now(tz=datetime.UTC) + datetime.timedelta(hours=9)):
        assert "color" not in SessionStore(store.session_key)
        call_command("clearsessions")
    assert stored_keys() == set()


@pytest.mark.django_db(transaction=True)
def test_the_asynchronous_calls_hash_too() -> None:
    async def use() -> str:
        store = SessionStore()
        await store.aset("color", "red")
        await store.acreate()
        await store.aset("color", "red")
        await store.asave()
        await store.acycle_key()
        again = SessionStore(store.session_key)
        assert await again.aget("color") == "red"
        assert await again.aexists(store.session_key or "")
        assert await SessionStore("unknown").aget("color") is None
        return store.session_key or ""

    assert stored_keys() == set()
    key = asyncio.run(use())
    assert stored_keys() == {stored_key(key)}
    asyncio.run(SessionStore(key).aflush())
    assert stored_keys() == set()


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def dismiss(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=False)


@pytest.mark.parametrize("take_away", [deactivate, dismiss])
def test_who_loses_the_right_loses_the_session_for_good(
    helper: User, take_away: Callable[[User], None]
) -> None:
    browser = admin_browser(helper)
    assert is_signed_in(browser)
    take_away(helper)
    assert not is_signed_in(browser)
    assert stored_keys() == set()
    User.objects.filter(pk=helper.pk).update(is_active=True, is_staff=True)
    assert not is_signed_in(browser)


def test_a_new_password_ends_the_session(helper: User) -> None:
    browser = admin_browser(helper)
    helper.set_password("Another-Horse-Battery-8")
    helper.save()
    assert not is_signed_in(browser)


def test_ending_a_users_sessions_ends_those_in_the_admin(helper: User, staff: User) -> None:
    theirs, other = admin_browser(helper), admin_browser(staff)
    assert end_sessions_by_staff(helper) == 1
    assert (is_signed_in(theirs), is_signed_in(other)) == (False, True)


def test_one_session_of_ones_own_can_be_kept(staff: User) -> None:
    here, elsewhere = admin_browser(staff), admin_browser(staff)
    kept = here.cookies[ADMIN_COOKIE].value
    assert end_sessions_by_staff(staff, kept_admin_session=kept) == 1
    assert (is_signed_in(here), is_signed_in(elsewhere)) == (True, False)
