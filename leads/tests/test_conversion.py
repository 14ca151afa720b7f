"""Converting a lead makes a client of it, exactly once."""

import uuid
from typing import Any

import pytest

from accounts.models import Membership
from clients.models import Client
from conftest import ApiClient
from crm.db.tenancy import team_context
from leads.models import Lead
from security.api_keys.services import issue_key
from tests.team_records import make_record


def make_lead(member: Membership, **values: Any) -> Lead:
    lead: Lead = make_record(Lead, member, **values)
    return lead


def convert(client: ApiClient, lead: Lead) -> Any:
    return client.post_json(f"/v1/leads/{lead.pk}/convert")


def code_of(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, (answer.json().get("error") or {}).get("code")


def clients_of(member: Membership) -> int:
    with team_context(member.team_id):
        return int(Client.objects.for_team(member.team_id).count())


def test_converted_lead_and_its_client_are_answered(bob: Membership, as_bob: ApiClient) -> None:
    lead = make_lead(bob)
    answer = convert(as_bob, lead)
    data = answer.json()["data"]
    assert answer.status_code == 201
    assert data.keys() == {"lead", "client"}
    assert data["lead"]["leadStatus"] == "converted"
    assert data["lead"]["convertedClient"] == data["client"]["id"]
    assert data["lead"]["convertedAt"] is not None
    assert as_bob.get(f"/v1/leads/{lead.pk}").json()["data"] == data["lead"]
    assert as_bob.get(f"/v1/clients/{data['client']['id']}").json()["data"] == data["client"]


def test_conversion_copies_what_both_have(
    alice: Membership, bob: Membership, as_bob: ApiClient
) -> None:
    lead = make_lead(alice, phone="+1 555 0100", notes="Wants a garden.")
    client = convert(as_bob, lead).json()["data"]["client"]
    assert client["firstName"] == lead.first_name
    assert client["lastName"] == lead.last_name
    assert client["email"] == lead.email
    assert (client["phone"], client["notes"]) == ("+1 555 0100", "Wants a garden.")
    assert client["assignedTo"] == str(alice.user_id)
    assert client["createdBy"] == str(bob.user_id)
    assert client["status"] == "active"


@pytest.mark.parametrize(
    ("lead_type", "contact_type"),
    [
        ("buyer", "buyer"),
        ("seller", "seller"),
        ("renter", "tenant"),
        ("investor", "investor"),
        ("other", "other"),
    ],
)
def test_lead_type_becomes_the_contact_type(
    bob: Membership, as_bob: ApiClient, lead_type: str, contact_type: str
) -> None:
    lead = make_lead(bob, lead_type=lead_type)
    assert convert(as_bob, lead).json()["data"]["client"]["contactType"] == contact_type


def test_second_conversion_names_the_client_of_the_first(
    bob: Membership, as_bob: ApiClient
) -> None:
    lead = make_lead(bob)
    client_id = convert(as_bob, lead).json()["data"]["client"]["id"]
    answer = convert(as_bob, lead)
    assert code_of(answer) == (409, "ALREADY_CONVERTED")
    assert answer.json()["error"]["details"] == {"clientId": client_id}
    assert clients_of(bob) == 1


@pytest.mark.parametrize("status", ["new", "contacted", "qualified", "unqualified", "lost"])
def test_lead_in_any_other_state_can_be_converted(
    bob: Membership, as_bob: ApiClient, status: str
) -> None:
    assert convert(as_bob, make_lead(bob, lead_status=status)).status_code == 201


@pytest.mark.parametrize("body", [{}, {"firstName": "Ada"}])
@pytest.mark.parametrize("method", ["put_json", "patch_json"])
@pytest.mark.parametrize("status", ["new", "lost"])
def test_converted_lead_cannot_be_turned_back(
    bob: Membership, as_bob: ApiClient, method: str, status: str, body: dict[str, str]
) -> None:
    lead = make_lead(bob)
    convert(as_bob, lead)
    answer = getattr(as_bob, method)(
        f"/v1/leads/{lead.pk}", {"firstName": "Ada", **body, "leadStatus": status}
    )
    assert code_of(answer) == (400, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"].keys() == {"leadStatus"}
    assert code_of(convert(as_bob, lead)) == (409, "ALREADY_CONVERTED")


def test_put_without_a_status_does_not_turn_a_converted_lead_back(
    bob: Membership, as_bob: ApiClient
) -> None:
    lead = make_lead(bob)
    convert(as_bob, lead)
    assert as_bob.put_json(f"/v1/leads/{lead.pk}", {"firstName": "Ada"}).status_code == 400
    body = {"firstName": "New", "leadStatus": "converted"}
    assert as_bob.put_json(f"/v1/leads/{lead.pk}", body).json()["data"]["firstName"] == "New"


def test_other_fields_of_a_converted_lead_can_be_changed(
    bob: Membership, as_bob: ApiClient
) -> None:
    lead = make_lead(bob)
    converted = convert(as_bob, lead).json()["data"]["lead"]
    answer = as_bob.patch_json(f"/v1/leads/{lead.pk}", {"notes": "Sent flowers."})
    assert answer.json()["data"]["notes"] == "Sent flowers."
    assert answer.json()["data"]["convertedClient"] == converted["convertedClient"]


def test_editing_converts_nothing(bob: Membership, as_bob: ApiClient) -> None:
    lead = make_lead(bob)
    for answer in (
        as_bob.patch_json(f"/v1/leads/{lead.pk}", {"leadStatus": "converted"}),
        as_bob.put_json(f"/v1/leads/{lead.pk}", {"firstName": "x", "leadStatus": "converted"}),
        as_bob.post_json("/v1/leads", {"firstName": "x", "leadStatus": "converted"}),
    ):
        assert code_of(answer) == (400, "VALIDATION_ERROR")
        assert answer.json()["error"]["details"].keys() == {"leadStatus"}


@pytest.mark.parametrize("name", ["convertedClient", "convertedAt", "converted_client_id"])
def test_link_to_the_client_is_not_the_callers_to_set(
    bob: Membership, as_bob: ApiClient, name: str
) -> None:
    answer = as_bob.patch_json(f"/v1/leads/{make_lead(bob).pk}", {name: str(uuid.uuid4())})
    assert answer.json()["error"]["details"].keys() == {name}


def test_deleted_lead_cannot_be_converted(bob: Membership, as_bob: ApiClient) -> None:
    lead = make_lead(bob)
    as_bob.delete(f"/v1/leads/{lead.pk}")
    assert code_of(convert(as_bob, lead)) == (404, "NOT_FOUND")
    as_bob.post_json(f"/v1/leads/{lead.pk}/restore")
    assert convert(as_bob, lead).status_code == 201


def test_lead_of_another_team_answers_as_an_absent_one(
    bob: Membership, as_mallory: ApiClient
) -> None:
    lead = make_lead(bob)
    assert code_of(convert(as_mallory, lead)) == (404, "NOT_FOUND")
    assert clients_of(bob) == 0


def test_lead_deleted_and_restored_stays_converted(bob: Membership, as_bob: ApiClient) -> None:
    lead = make_lead(bob)
    converted = convert(as_bob, lead).json()["data"]["lead"]
    as_bob.delete(f"/v1/leads/{lead.pk}")
    restored = as_bob.post_json(f"/v1/leads/{lead.pk}/restore").json()["data"]
    assert {**restored, "updatedAt": converted["updatedAt"]} == converted


def test_lead_stays_converted_when_its_client_is_purged(
    bob: Membership, as_alice: ApiClient
) -> None:
    lead = make_lead(bob)
    client_id = convert(as_alice, lead).json()["data"]["client"]["id"]
    purged = as_alice.delete(f"/v1/clients/{client_id}?permanent=true")
    assert purged.status_code == 200
    data = as_alice.get(f"/v1/leads/{lead.pk}").json()["data"]
    assert (data["leadStatus"], data["convertedClient"]) == ("converted", None)
    answer = convert(as_alice, lead)
    assert code_of(answer) == (409, "ALREADY_CONVERTED")
    assert answer.json()["error"]["details"] == {"clientId": None}


def test_client_outlives_its_purged_lead(bob: Membership, as_alice: ApiClient) -> None:
    lead = make_lead(bob)
    client_id = convert(as_alice, lead).json()["data"]["client"]["id"]
    assert as_alice.delete(f"/v1/leads/{lead.pk}?permanent=true").status_code == 200
    assert as_alice.get(f"/v1/clients/{client_id}").status_code == 200


def test_data_entry_converts(bob: Membership, as_dora: ApiClient) -> None:
    assert convert(as_dora, make_lead(bob)).status_code == 201


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        ({"leads": ["read", "write"]}, "clients:write"),
        ({"clients": ["read", "write"]}, "leads:write"),
        ({"all": ["read", "delete"]}, "leads:write"),
    ],
)
def test_key_needs_both_scopes_to_convert(
    alice: Membership, scopes: dict[str, list[str]], missing: str
) -> None:
    lead = make_lead(alice)
    issued = issue_key(team_id=alice.team_id, owner_id=alice.user_id, name="Key", scopes=scopes)
    answer = convert(ApiClient(f"Bearer {issued.written}"), lead)
    assert code_of(answer) == (403, "INSUFFICIENT_SCOPE")
    assert answer.json()["error"]["details"] == {"requiredScope": [missing]}
    assert clients_of(alice) == 0


def test_key_with_both_scopes_converts(alice: Membership) -> None:
    lead = make_lead(alice)
    scopes = {"leads": ["write"], "clients": ["write"]}
    issued = issue_key(team_id=alice.team_id, owner_id=alice.user_id, name="Key", scopes=scopes)
    assert convert(ApiClient(f"Bearer {issued.written}"), lead).status_code == 201


def test_conversion_takes_no_body(bob: Membership, as_bob: ApiClient) -> None:
    lead = make_lead(bob)
    answer = as_bob.post_json(f"/v1/leads/{lead.pk}/convert", {"contactType": "buyer"})
    assert code_of(answer) == (400, "VALIDATION_ERROR")
    assert clients_of(bob) == 0
