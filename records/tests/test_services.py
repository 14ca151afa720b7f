"""Writes of records: who looks after one, and what a departed member leaves behind."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Membership
from clients.models import Client
from conftest import ApiClient
from crm.api.errors import NotFound, ValidationFailed
from crm.db.tenancy import team_context
from leads.models import Lead
from records import services as records
from records.models import TeamModel
from security.access.roles import Role
from security.request.actors import Actor, ActorKind
from tests.isolation import every_model, list_path
from tests.team_records import VALUES, make_record


@pytest.fixture
def actor(alice: Membership) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        id=alice.user_id,
        label="alice@example.com",
        user_id=alice.user_id,
        team_id=alice.team_id,
        team_name="Harbor Realty",
        role=Role.ADMIN,
    )


def reload(record: Any) -> Any:
    with team_context(record.team_id):
        return type(record).objects.get(pk=record.pk)


@every_model
def test_a_new_record_belongs_to_its_makers_team(actor: Actor, model: type[TeamModel]) -> None:
    with team_context(actor.team_id):
        record = records.create_record(actor=actor, model=model, values=VALUES[model])
    assert (record.team_id, record.created_by_id) == (actor.team_id, actor.user_id)
    assert reload(record).deleted_at is None


@every_model
def test_a_member_of_the_team_may_look_after_a_record(
    alice: Membership, bob: Membership, model: type[TeamModel]
) -> None:
    record = make_record(model, alice)
    with team_context(alice.team_id):
        records.update_record(record=record, values={"assigned_to_id": bob.user_id})
    assert reload(record).assigned_to_id == bob.user_id


@pytest.mark.parametrize("who", ["mallory", "staff", "nobody"])
@every_model
def test_nobody_else_may(
    request: pytest.FixtureRequest, alice: Membership, model: type[TeamModel], who: str
) -> None:
    record = make_record(model, alice)
    found = None if who == "nobody" else request.getfixturevalue(who)
    user_id = uuid.uuid4() if found is None else getattr(found, "user_id", found.pk)
    with (
        team_context(alice.team_id),
        pytest.raises(ValidationFailed) as refusal,
        transaction.atomic(),
    ):
        records.update_record(record=record, values={"assigned_to_id": user_id})
    assert list(refusal.value.details or {}) == ["assignedTo"]
    assert reload(record).assigned_to_id == alice.user_id


def test_another_broken_rule_of_the_database_is_no_error_of_the_caller(actor: Actor) -> None:
    with team_context(actor.team_id):
        first = records.create_record(actor=actor, model=Client, values=VALUES[Client])
        again = {**VALUES[Client], "id": first.pk}
        with pytest.raises(IntegrityError), transaction.atomic():
            records.create_record(actor=actor, model=Client, values=again)


@every_model
def test_a_members_records_stay_when_the_member_is_removed(
    as_alice: ApiClient, alice: Membership, bob: Membership, model: type[TeamModel]
) -> None:
    record = make_record(model, bob)
    kept = make_record(model, alice)
    bob.delete()
    answered = as_alice.get(f"{list_path(model)}/{record.pk}").json()["data"]
    assert answered["assignedTo"] is None
    assert answered["createdBy"] == str(bob.user_id)
    assert reload(kept).assigned_to_id == alice.user_id


@every_model
def test_a_record_goes_comes_back_and_goes_for_good(
    alice: Membership, model: type[TeamModel]
) -> None:
    record = make_record(model, alice)
    with team_context(alice.team_id):
        records.delete_record(record=record)
        assert not model.objects.present().filter(pk=record.pk).exists()
        assert model.objects.deleted().filter(pk=record.pk).exists()
        records.restore_record(record=record)
        assert model.objects.present().filter(pk=record.pk).exists()
        records.purge_record(record=record)
        with pytest.raises(NotFound):
            records.lock_record(model.objects.all(), team_id=alice.team_id, pk=record.pk)


def test_a_lead_stays_when_its_client_is_deleted_for_good(alice: Membership) -> None:
    client = make_record(Client, alice)
    lead = make_record(Lead, alice, converted_client_id=client.pk)
    with team_context(alice.team_id):
        records.purge_record(record=client)
    assert reload(lead).converted_client_id is None
