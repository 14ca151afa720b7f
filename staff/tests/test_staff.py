"""Who gets what in the admin: strangers, members, staff with and without permissions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Membership, Session, Team, User
from accounts.tests.calls import me
from accounts.tests.factories import access_token, make_user
from clients.models import Client as CrmClient
from conftest import ApiClient
from leads.models import Lead
from security.api_keys.services import IssuedKey
from security.models import ApiKey
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import initial_of, page, run_action, text_of
from tests.team_records import make_record

pytestmark = pytest.mark.django_db
PAGES = ["changelist", "add", "change", "delete", "history"]


@pytest.fixture
def helper() -> User:
    return make_user("helper@example.com", is_staff=True)


@pytest.fixture
def as_helper(helper: User) -> Client:
    """A member of staff with every model permission, who is no superuser."""
    helper.user_permissions.set(Permission.objects.all())
    return admin_browser(helper)


def addresses(obj: Any) -> list[str]:
    """Return every page of an object's model."""
    name = f"{obj._meta.app_label}_{obj._meta.model_name}"
    one = {"change", "delete", "history"}
    return [page(f"{name}_{part}", *([obj.pk] if part in one else [])) for part in PAGES]


@pytest.fixture
def objects(alice: Membership, key: IssuedKey) -> list[Any]:
    records = [make_record(model, alice) for model in (CrmClient, Lead)]
    return [alice.user, alice.team, alice, key.api_key, *records]


def test_strangers_members_and_keys_are_sent_to_the_sign_in(
    objects: list[Any], as_stranger: ApiClient, as_alice: ApiClient, as_key: ApiClient
) -> None:
    wanted = [address for obj in objects for address in addresses(obj)]
    wanted += [page("index"), page("autocomplete"), page("password_change"), "/admin/nothing"]
    for caller in (as_stranger, as_alice, as_key):
        for address in wanted:
            for answer in (caller.get(address), caller.post(address)):
                assert answer.status_code == 302
                assert answer["Location"].startswith(page("login"))


def test_an_admin_session_opens_no_api(as_staff: Client) -> None:
    assert as_staff.get("/v1/auth/me").status_code == 401
    assert as_staff.get("/v1/clients").status_code == 401


def test_staff_without_permissions_see_nothing(helper: User, objects: list[Any]) -> None:
    browser = admin_browser(helper)
    for obj in objects:
        for address in addresses(obj):
            # Django leads from the history of what one may not see to the first page.
            assert browser.get(address).status_code in {302, 403}, address
    for action in ("rotate", "revoke"):
        address = page(f"security_apikey_{action}", ApiKey.objects.get().pk)
        assert browser.post(address, {"overlap": "0"}).status_code == 403
    index = browser.get(page("index"))
    assert index.context["available_apps"] == []
    answer = browser.get(page("index") + "accounts/")
    assert answer.status_code == 404


def test_records_are_for_superusers_whatever_the_permissions(
    as_helper: Client, objects: list[Any]
) -> None:
    for record in objects[-2:]:
        for address in addresses(record):
            for answer in (as_helper.get(address), as_helper.post(address)):
                assert answer.status_code == 403
                assert record.last_name not in text_of(answer)
        name = f"{record._meta.app_label}_{record._meta.model_name}_restore"
        assert as_helper.post(page(name, record.pk)).status_code == 403
    shown = {app["app_label"] for app in as_helper.get(page("index")).context["available_apps"]}
    assert shown == {"accounts", "security", "axes"}


def test_staff_with_permissions_look_and_close(
    as_helper: Client, alice: Membership, key: IssuedKey
) -> None:
    token = access_token(alice)
    for name in ("accounts_user", "accounts_team", "accounts_session", "security_apikey"):
        assert as_helper.get(page(f"{name}_changelist")).status_code == 200
    run_action(as_helper, "accounts_user", "end_all_sessions", alice.user)
    assert me(token).status_code == 401
    assert as_helper.post(page("security_apikey_revoke", key.api_key.pk)).status_code == 302
    assert ApiClient(f"Bearer {key.written}").get("/v1/clients").status_code == 401


def issue_key(browser: Client, alice: Membership) -> Any:
    return browser.get(page("security_apikey_add"))


def rotate(browser: Client, alice: Membership) -> Any:
    return browser.post(page("security_apikey_rotate", ApiKey.objects.get().pk), {"overlap": "0"})


def set_password(browser: Client, alice: Membership) -> Any:
    return browser.get(page("auth_user_password_change", alice.user_id))


def add_member(browser: Client, alice: Membership) -> Any:
    form = {"team": alice.team_id, "user": User.objects.get(email="helper@example.com").pk}
    return browser.post(page("accounts_membership_add"), {**form, "role": "admin"})


def change_role(browser: Client, alice: Membership) -> Any:
    return browser.post(page("accounts_membership_change", alice.pk), {"role": "agent"})


def add_team(browser: Client, alice: Membership) -> Any:
    return browser.get(page("accounts_team_add"))


def delete_team(browser: Client, alice: Membership) -> Any:
    return browser.post(page("accounts_team_delete", alice.team_id), {"post": "yes"})


@pytest.mark.parametrize(
    "open_access",
    [issue_key, rotate, set_password, add_member, change_role, add_team, delete_team],
)
def test_only_superusers_open_what_gives_access(
    as_helper: Client,
    alice: Membership,
    key: IssuedKey,
    open_access: Callable[[Client, Membership], Any],
) -> None:
    assert open_access(as_helper, alice).status_code == 403
    assert (Membership.objects.count(), ApiKey.objects.count(), Team.objects.count()) == (1, 1, 1)


def test_staff_do_not_raise_themselves_or_take_accounts_over(
    as_helper: Client, helper: User, staff: User, alice: Membership
) -> None:
    for superior in (staff, helper):
        answer = as_helper.post(page("accounts_user_change", superior.pk), {"first_name": "X"})
        assert answer.status_code == 403
    address = page("accounts_user_change", alice.user_id)
    form = initial_of(as_helper.get(address))
    form |= {"email": "helper@example.org", "is_staff": "on", "is_superuser": "on"}
    assert as_helper.post(address, {**form, "first_name": "Al"}).status_code == 302
    alice.user.refresh_from_db()
    assert (alice.user.first_name, alice.user.email) == ("Al", "alice@example.com")
    assert (alice.user.is_staff, alice.user.is_superuser) == (False, False)


def test_staff_do_not_act_on_their_superiors(as_helper: Client, staff: User, team_a: Team) -> None:
    superior = admin_browser(staff)
    token = access_token(Membership.objects.create(team=team_a, user=staff, role="admin"))
    for action in ("end_selected", "end_all_of_users"):
        run_action(as_helper, "accounts_session", action, Session.objects.get())
    assert me(token).status_code == 200
    for action in ("deactivate", "end_all_sessions", "unlock"):
        run_action(as_helper, "accounts_user", action, staff)
    staff.refresh_from_db()
    assert staff.is_active
    assert superior.get(page("index")).status_code == 200


def test_a_user_added_by_staff_is_no_staff(as_helper: Client) -> None:
    password = "Another-Horse-Battery-8"
    form = {"email": "new@example.com", "password1": password, "password2": password}
    form |= {"usable_password": "true", "is_staff": "on", "is_superuser": "on"}
    assert as_helper.post(page("accounts_user_add"), form).status_code == 302
    user = User.objects.get(email="new@example.com")
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_the_admin_has_our_pages_only() -> None:
    assert {model._meta.label for model in admin.site._registry} == {
        "accounts.Device",
        "accounts.Invitation",
        "accounts.Lockout",
        "accounts.Membership",
        "accounts.Passkey",
        "accounts.Session",
        "accounts.Team",
        "accounts.TotpDevice",
        "accounts.User",
        "axes.AccessAttempt",
        "clients.Client",
        "leads.Lead",
        "security.ApiKey",
        "security.AuditEntry",
        "security.IpBlock",
        "security.SecurityEvent",
    }
