"""Clients of all teams in the admin: through the door, by the services, for superusers."""

import logging
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from accounts.models import Membership, User
from clients.models import Client
from crm.db.tenancy import team_context
from security.access.all_teams import all_teams
from staff.tests.admin_calls import initial_of, page, run_action, text_of
from tests.team_records import make_record

LIST = "clients_client"


def stored(pk: object) -> Client:
    """Return a client, whichever team's."""
    with all_teams(reason="a test looks", actor_id="", actor_label=""):
        client: Client = Client.objects.select_related("team", "created_by").get(pk=pk)
    return client


def listed(browser: Browser, query: str = "") -> list[str]:
    answer = browser.get(f"{page('clients_client_changelist')}?{query}")
    assert answer.status_code == 200
    return [client.last_name for client in answer.context["cl"].result_list]


def new_form(member: Membership, **values: Any) -> dict[str, Any]:
    fields = {
        "owning_team": str(member.team_id),
        "first_name": "Nora",
        "last_name": "New",
        "contact_type": "buyer",
        "status": "active",
        "tags": "vip, lake",
        "address_2": "Bonn",
        "assigned_to": str(member.user_id),
    }
    return {**fields, **values}


@pytest.fixture
def quill(alice: Membership) -> Client:
    client: Client = make_record(Client, alice, last_name="Quill")
    return client


@pytest.fixture
def moss(mallory: Membership) -> Client:
    client: Client = make_record(Client, mallory, last_name="Moss", contact_type="vendor")
    return client


def test_staff_see_every_team_and_the_door_is_recorded(
    as_staff: Browser, staff: User, quill: Client, moss: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="security.access.all_teams"):
        assert sorted(listed(as_staff)) == ["Moss", "Quill"]
    (record,) = [r for r in caplog.records if r.name == "security.access.all_teams"]
    assert str(staff.pk) in record.getMessage()
    assert "clients.client 'list'" in record.getMessage()
    assert not Client.objects.exists()


def test_clients_are_found_by_team_kind_and_text(
    as_staff: Browser, quill: Client, moss: Client
) -> None:
    assert listed(as_staff, f"team__id__exact={moss.team_id}") == ["Moss"]
    assert listed(as_staff, "contact_type__exact=vendor") == ["Moss"]
    assert listed(as_staff, "q=QUIL") == ["Quill"]


def test_a_client_is_made_in_the_chosen_team(
    as_staff: Browser, staff: User, alice: Membership
) -> None:
    assert as_staff.get(page("clients_client_add")).status_code == 200
    answer = as_staff.post(page("clients_client_add"), new_form(alice))
    assert answer.status_code == 302
    client = stored(LogEntry.objects.get().object_id)
    assert (client.team, client.created_by) == (alice.team, staff)
    assert (client.tags, client.address) == (["vip", "lake"], {"city": "Bonn"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"owning_team": ""},
        {"first_name": ""},
        {"email": "not an address"},
        {"contact_type": "friend"},
        {"tags": ",".join("x" * 51)},
        {"address_0": "x" * 201},
        {"notes": "x" * 10_001},
    ],
)
def test_what_the_api_refuses_the_form_refuses(
    as_staff: Browser, alice: Membership, wrong: dict[str, str]
) -> None:
    answer = as_staff.post(page("clients_client_add"), new_form(alice, **wrong))
    assert answer.status_code == 200
    assert answer.context["errors"]


def test_an_assignee_must_be_of_the_team(
    as_staff: Browser, alice: Membership, mallory: Membership
) -> None:
    form = new_form(alice, assigned_to=str(mallory.user_id))
    answer = as_staff.post(page("clients_client_add"), form)
    assert "is no member of Harbor Realty" in text_of(answer)


def test_an_edit_writes_what_changed(as_staff: Browser, quill: Client) -> None:
    address = page("clients_client_change", quill.pk)
    form = {**initial_of(as_staff.get(address)), "last_name": "Quilling", "address_2": "Köln"}
    assert as_staff.post(address, form).status_code == 302
    client = stored(quill.pk)
    assert (client.last_name, client.address, client.tags) == (
        "Quilling",
        {"city": "Köln"},
        ["vip"],
    )
    assert client.updated_at > quill.updated_at


def test_an_edit_does_not_move_a_client_to_another_team(
    as_staff: Browser, quill: Client, mallory: Membership
) -> None:
    address = page("clients_client_change", quill.pk)
    moved = {"team": str(mallory.team_id), "owning_team": str(mallory.team_id)}
    form = {**initial_of(as_staff.get(address)), **moved}
    assert as_staff.post(address, form).status_code == 302
    assert stored(quill.pk).team_id == quill.team_id


def test_a_second_tab_does_not_overwrite(as_staff: Browser, quill: Client) -> None:
    address = page("clients_client_change", quill.pk)
    stale = initial_of(as_staff.get(address))
    with team_context(quill.team_id):
        quill.status = "inactive"
        quill.save()
    answer = as_staff.post(address, {**stale, "last_name": "Lost"})
    assert "Somebody changed this record" in text_of(answer)
    client = stored(quill.pk)
    assert (client.last_name, client.status) == ("Quill", "inactive")


def test_a_deleted_client_leaves_the_list_and_comes_back(as_staff: Browser, quill: Client) -> None:
    delete = page("clients_client_delete", quill.pk)
    assert as_staff.get(delete).status_code == 200
    assert as_staff.post(delete, {"post": "yes"}).status_code == 302
    assert stored(quill.pk).deleted_at is not None
    assert (listed(as_staff), listed(as_staff, "deleted=yes")) == ([], ["Quill"])
    change = page("clients_client_change", quill.pk)
    assert as_staff.get(change).status_code == 200
    assert as_staff.post(change, {"last_name": "X"}).status_code == 403
    assert as_staff.get(page("clients_client_restore", quill.pk)).status_code == 405
    assert as_staff.post(page("clients_client_restore", quill.pk)).status_code == 302
    assert listed(as_staff) == ["Quill"]


def test_selected_clients_are_deleted_and_restored(
    as_staff: Browser, quill: Client, moss: Client
) -> None:
    run_action(as_staff, LIST, "delete_selected", quill, moss, post="yes")
    assert listed(as_staff, "deleted=yes") == ["Moss", "Quill"]
    deleted = f"{page('clients_client_changelist')}?deleted=yes"
    form = {"action": "restore_selected", "_selected_action": [str(quill.pk)]}
    assert as_staff.post(deleted, form).status_code == 302
    assert listed(as_staff) == ["Quill"]
    assert listed(as_staff, "deleted=all") == ["Moss", "Quill"]


def test_the_door_is_closed_behind_the_page(as_staff: Browser, quill: Client) -> None:
    for name, *args in (
        ("clients_client_changelist",),
        ("clients_client_add",),
        ("clients_client_change", quill.pk),
        ("clients_client_history", quill.pk),
        ("clients_client_delete", quill.pk),
    ):
        assert as_staff.get(page(name, *args)).status_code == 200
        assert not Client.objects.exists()


def test_an_unknown_client_is_not_found(as_staff: Browser, alice: Membership) -> None:
    assert as_staff.post(page("clients_client_restore", alice.pk)).status_code == 404
    # Django leads to the first page with a message.
    assert as_staff.get(page("clients_client_change", alice.pk)).status_code == 302
    assert as_staff.get(page("clients_client_change", "nonsense")).status_code == 302
