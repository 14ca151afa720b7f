"""A key that may write and not read learns nothing of what it did not write."""

from accounts.models import Membership
from clients.models import Client
from conftest import ApiClient
from leads.models import Lead
from security.api_keys.services import issue_key
from tests.team_records import make_record


def client_with(owner: Membership, **scopes: list[str]) -> ApiClient:
    issued = issue_key(team_id=owner.team_id, owner_id=owner.user_id, name="K", scopes=scopes)
    return ApiClient(f"Bearer {issued.written}")


def test_write_only_key_changes_a_client_unseen(alice: Membership) -> None:
    client = make_record(Client, alice)
    as_key = client_with(alice, clients=["write"])
    answer = as_key.patch_json(f"/v1/clients/{client.pk}", {"notes": "changed"})
    assert (answer.status_code, answer.json()["data"]) == (200, {"id": str(client.pk)})


def test_delete_only_key_restores_a_client_unseen(alice: Membership) -> None:
    client = make_record(Client, alice)
    as_key = client_with(alice, clients=["delete"])
    answer = as_key.post_json(f"/v1/clients/{client.pk}/restore")
    assert (answer.status_code, answer.json()["data"]) == (200, {"id": str(client.pk)})


def test_write_only_key_converts_a_lead_unseen(alice: Membership) -> None:
    lead = make_record(Lead, alice)
    as_key = client_with(alice, leads=["write"], clients=["write"])
    converted = as_key.post_json(f"/v1/leads/{lead.pk}/convert").json()["data"]
    assert converted["lead"] == {"id": str(lead.pk)}
    assert list(converted["client"]) == ["id"]
