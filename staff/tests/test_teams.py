"""Teams, memberships and lockouts in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client

from accounts.models import Membership, Team, User
from accounts.tests.calls import code_of, fail_to_sign_in, me, sign_in
from accounts.tests.factories import access_token, make_invitation, make_user
from clients.models import Client as CrmClient
from conftest import ApiClient
from crm.db.tenancy import team_context
from leads.models import Lead
from security.access.all_teams import all_teams
from staff.tests.admin_calls import initial_of, page, run_action, text_of
from tests.team_records import make_record

NEW_TEAM = {"name": "Lakeside", "admin_email": "lea@example.com"}


def records_of_all_teams() -> int:
    with all_teams(reason="a test looks", actor_id="", actor_label=""):
        return int(CrmClient.objects.count() + Lead.objects.count())


def test_a_team_is_made_with_its_first_admin(as_staff: Client) -> None:
    form = {**NEW_TEAM, "admin_password": "Another-Horse-Battery-8"}
    assert as_staff.post(page("accounts_team_add"), form).status_code == 302
    membership = Membership.objects.get(team__name="Lakeside")
    assert (membership.user.email, membership.role) == ("lea@example.com", "admin")
    assert membership.user.check_password("Another-Horse-Battery-8")


def test_a_known_address_becomes_the_admin_and_keeps_its_password(
    as_staff: Client, alice: Membership
) -> None:
    form = {"name": "Lakeside", "admin_email": " ALICE@example.com ", "admin_password": ""}
    before = alice.user.password
    assert as_staff.post(page("accounts_team_add"), form).status_code == 302
    assert Membership.objects.get(team__name="Lakeside").user == alice.user
    alice.user.refresh_from_db()
    assert alice.user.password == before


@pytest.mark.parametrize("password", ["", "short"])
def test_a_new_admin_needs_a_password_that_stands(as_staff: Client, password: str) -> None:
    answer = as_staff.post(page("accounts_team_add"), {**NEW_TEAM, "admin_password": password})
    assert answer.context["adminform"].form.errors["admin_password"]
    assert not Team.objects.exists()


def test_members_are_changed_on_the_teams_page(
    as_staff: Client, alice: Membership, bob: Membership
) -> None:
    token = access_token(bob)
    address = page("accounts_team_change", alice.team_id)
    form = initial_of(as_staff.get(address))
    (index,) = [name[:-3] for name, value in form.items() if value == bob.pk]
    assert as_staff.post(address, {**form, f"{index}-DELETE": "on"}).status_code == 302
    assert me(token).status_code == 401
    assert Membership.objects.filter(team=alice.team).count() == 1


def test_a_member_is_not_swapped_for_another_on_the_teams_page(
    as_staff: Client, bob: Membership, mallory: Membership
) -> None:
    make_record(CrmClient, bob)
    address = page("accounts_team_change", bob.team_id)
    form = initial_of(as_staff.get(address))
    swapped = {**form, "memberships-0-user": str(mallory.user_id), "memberships-0-role": "manager"}
    assert as_staff.post(address, swapped).status_code == 302
    bob.refresh_from_db()
    assert (bob.user.email, bob.role) == ("bob@example.com", "manager")


def test_a_removed_member_leaves_records_behind_unassigned(
    as_staff: Client, bob: Membership
) -> None:
    record = make_record(CrmClient, bob)
    answer = as_staff.post(page("accounts_membership_delete", bob.pk), {"post": "yes"})
    assert answer.status_code == 302
    with team_context(bob.team_id):
        record.refresh_from_db()
    assert record.assigned_to_id is None


def test_a_membership_keeps_its_team_and_user(
    as_staff: Client, bob: Membership, mallory: Membership
) -> None:
    address = page("accounts_membership_change", bob.pk)
    form = {"team": mallory.team_id, "user": mallory.user_id, "role": "admin", "is_active": "on"}
    assert as_staff.post(address, form).status_code == 302
    changed = Membership.objects.get(pk=bob.pk)
    assert (changed.team_id, changed.user_id, changed.role) == (bob.team_id, bob.user_id, "admin")


@pytest.mark.parametrize("way", ["page", "delete", "action", "team's page"])
def test_staff_do_not_take_a_teams_last_admin_away(
    as_staff: Client, alice: Membership, bob: Membership, way: str
) -> None:
    address = page("accounts_team_change", alice.team_id)
    ways: dict[str, Callable[[], Any]] = {
        "page": lambda: as_staff.post(
            page("accounts_membership_change", alice.pk), {"role": "agent", "is_active": "on"}
        ),
        "delete": lambda: as_staff.post(
            page("accounts_membership_delete", alice.pk), {"post": "yes"}
        ),
        "action": lambda: run_action(
            as_staff, "accounts_membership", "delete_selected", alice, bob, post="yes"
        ),
        "team's page": lambda: as_staff.post(
            address,
            {**initial_of(as_staff.get(address)), "memberships-0-role": "agent"},
        ),
    }
    answer = ways[way]()
    assert answer.status_code == 409
    assert "last one" in text_of(answer)
    assert Membership.objects.filter(team=alice.team).count() == 2


def test_deleting_a_team_counts_what_goes_and_takes_it_along(
    as_staff: Client, alice: Membership, mallory: Membership
) -> None:
    for model in (CrmClient, Lead):
        make_record(model, alice)
        make_record(model, mallory)
    make_invitation(alice, "new@example.com")
    address = page("accounts_team_delete", alice.team_id)
    asked = as_staff.get(address)
    counts = dict(asked.context["model_count"])
    names = ("clients", "leads", "memberships", "invitations")
    assert [counts[name] for name in names] == [1, 1, 1, 1]
    assert records_of_all_teams() == 4
    assert as_staff.post(address, {"post": "yes"}).status_code == 302
    assert records_of_all_teams() == 2
    assert not Team.objects.filter(pk=alice.team_id).exists()
    assert User.objects.filter(pk=alice.user_id).exists()


def test_selected_teams_are_deleted_with_their_records(
    as_staff: Client, alice: Membership, mallory: Membership
) -> None:
    make_record(CrmClient, alice)
    make_record(CrmClient, mallory)
    asked = run_action(as_staff, "accounts_team", "delete_selected", alice.team)
    assert asked.status_code == 200
    run_action(as_staff, "accounts_team", "delete_selected", alice.team, post="yes")
    assert records_of_all_teams() == 1


def test_an_inactive_team_gives_no_access(as_staff: Client, alice: Membership) -> None:
    token = access_token(alice)
    address = page("accounts_team_change", alice.team_id)
    form = initial_of(as_staff.get(address))
    form.pop("is_active")
    assert as_staff.post(address, form).status_code == 302
    assert me(token).status_code == 401


@pytest.mark.parametrize(
    ("query", "names"), [("harbor", ["Harbor Realty"]), ("mallory", ["Summit Homes"])]
)
def test_teams_are_found_by_name_and_member(
    as_staff: Client, alice: Membership, mallory: Membership, query: str, names: list[str]
) -> None:
    answer = as_staff.get(f"{page('accounts_team_changelist')}?q={query}")
    assert [team.name for team in answer.context["cl"].result_list] == names


@pytest.mark.parametrize("way", ["page", "action"])
def test_deleting_a_failure_unlocks_the_address(
    as_staff: Client, alice: Membership, as_stranger: ApiClient, way: str
) -> None:
    fail_to_sign_in(as_stranger, times=3)
    fail_to_sign_in(ApiClient(), times=2)
    attempt: Any = AccessAttempt.objects.first()
    if way == "page":
        as_staff.post(page("axes_accessattempt_delete", attempt.pk), {"post": "yes"})
    else:
        run_action(as_staff, "axes_accessattempt", "delete_selected", attempt, post="yes")
    assert code_of(sign_in(as_stranger)) == (200, None)


def test_failures_are_read_only_and_show_nothing_typed(
    as_staff: Client, as_stranger: ApiClient
) -> None:
    make_user("nobody@example.com")
    fail_to_sign_in(as_stranger, "nobody@example.com")
    attempt: Any = AccessAttempt.objects.get()
    address = page("axes_accessattempt_change", attempt.pk)
    assert "post_data" not in text_of(as_staff.get(address))
    assert as_staff.post(address, {"failures_since_start": 0}).status_code == 403
    assert as_staff.get(page("axes_accessattempt_add")).status_code == 403
