"""Leads of all teams in the admin; what differs from clients."""

from typing import Any

import pytest
from django.test import Client as Browser

from accounts.models import Membership
from clients.models import Client
from crm.db.tenancy import team_context
from leads.models import Lead
from leads.services import convert_lead
from security.access.all_teams import all_teams
from security.access.roles import Role
from security.request.actors import Actor, ActorKind
from staff.tests.admin_calls import initial_of, page
from tests.team_records import make_record


@pytest.fixture
def lead(alice: Membership) -> Lead:
    made: Lead = make_record(Lead, alice)
    return made


def change(browser: Browser, lead: Lead, **values: Any) -> Any:
    address = page("leads_lead_change", lead.pk)
    return browser.post(address, {**initial_of(browser.get(address)), **values})


def stored(lead: Lead) -> Lead:
    with all_teams(reason="a test looks", actor_id="", actor_label=""):
        found: Lead = Lead.objects.get(pk=lead.pk)
    return found


def convert(lead: Lead, member: Membership) -> Client:
    actor = Actor(
        kind=ActorKind.USER,
        id=member.user_id,
        label=member.user.email,
        user_id=member.user_id,
        team_id=member.team_id,
        team_name=member.team.name,
        role=Role.ADMIN,
    )
    with team_context(member.team_id):
        return convert_lead(actor=actor, lead_id=lead.pk)[1]


def test_a_lead_is_edited(as_staff: Browser, lead: Lead) -> None:
    answer = change(as_staff, lead, lead_status="contacted", budget_min="100", budget_max="200")
    assert answer.status_code == 302
    assert stored(lead).lead_status == "contacted"


@pytest.mark.parametrize(
    "wrong", [{"lead_status": "converted"}, {"budget_min": "200", "budget_max": "100"}]
)
def test_what_the_api_refuses_the_form_refuses(
    as_staff: Browser, lead: Lead, wrong: dict[str, str]
) -> None:
    answer = change(as_staff, lead, **wrong)
    assert answer.context["errors"]
    assert stored(lead).lead_status == "new"


def test_a_converted_lead_stays_converted(as_staff: Browser, lead: Lead, alice: Membership) -> None:
    client = convert(lead, alice)
    answer = change(as_staff, lead, lead_status="new", source="fair")
    assert answer.status_code == 302
    found = stored(lead)
    assert (found.lead_status, found.source) == ("converted", "fair")
    assert found.converted_client_id == client.pk
    assert client.first_name in as_staff.get(page("leads_lead_change", lead.pk)).content.decode()


def test_leads_are_listed_added_and_deleted(
    as_staff: Browser, lead: Lead, alice: Membership
) -> None:
    form = {
        "owning_team": str(alice.team_id),
        "first_name": "Nora",
        "lead_type": "buyer",
        "lead_status": "new",
    }
    assert as_staff.post(page("leads_lead_add"), form).status_code == 302
    answer = as_staff.get(page("leads_lead_changelist"))
    assert len(answer.context["cl"].result_list) == 2
    assert as_staff.post(page("leads_lead_delete", lead.pk), {"post": "yes"}).status_code == 302
    assert stored(lead).deleted_at is not None
