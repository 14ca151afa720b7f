"""Services called with another team's actor: what the API calls refuses by itself."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.models import Membership
from accounts.sessions.switch_team import switch_team
from crm.api.errors import NotFound, ValidationFailed
from crm.db.tenancy import team_context
from leads.models import Lead
from leads.services import convert_lead
from records import services as records
from records.models import TeamModel
from security.access.roles import Role
from security.api_keys import services as api_keys
from security.api_keys.services import IssuedKey
from security.request.actors import Actor, ActorKind
from tests.isolation import every_model
from tests.routes import ABSENT_ID
from tests.team_records import VALUES, everything_stored, make_record


def actor_of(member: Membership) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        id=member.user_id,
        label=member.user.email,
        user_id=member.user_id,
        team_id=member.team_id,
        team_name=member.team.name,
        role=Role(member.role),
    )


@every_model
def test_lock_finds_no_record_of_another_team(
    model: type[TeamModel], alice: Membership, mallory: Membership
) -> None:
    record = make_record(model, alice)
    for opened in (mallory, alice):
        # Whichever team the database has open, the named team decides.
        with team_context(opened.team_id), pytest.raises(NotFound):
            records.lock_record(model.objects.all(), team_id=mallory.team_id, pk=record.pk)
    with team_context(alice.team_id):
        found = records.lock_record(model.objects.all(), team_id=alice.team_id, pk=record.pk)
    assert found == record


@every_model
def test_create_refuses_another_teams_member(
    model: type[TeamModel], alice: Membership, mallory: Membership
) -> None:
    values = {**VALUES[model], "assigned_to_id": alice.user_id}
    before = everything_stored()
    with team_context(mallory.team_id), pytest.raises(ValidationFailed), transaction.atomic():
        records.create_record(actor=actor_of(mallory), model=model, values=values)
    assert everything_stored() == before


@every_model
def test_create_refuses_a_team_that_is_not_open(
    model: type[TeamModel], alice: Membership, mallory: Membership
) -> None:
    before = everything_stored()
    with (
        team_context(mallory.team_id),
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
    ):
        records.create_record(actor=actor_of(alice), model=model, values=VALUES[model])
    assert everything_stored() == before


WRITES: list[Callable[[Any], None]] = [
    lambda record: records.update_record(record=record, values={"assigned_to_id": None}),
    lambda record: records.delete_record(record=record),
    lambda record: records.restore_record(record=record),
    lambda record: records.purge_record(record=record),
]


@pytest.mark.parametrize("write", WRITES, ids=["update", "delete", "restore", "purge"])
@every_model
def test_a_record_in_hand_is_not_written_from_another_team(
    model: type[TeamModel],
    alice: Membership,
    mallory: Membership,
    write: Callable[[Any], None],
) -> None:
    record = make_record(model, alice)
    before = everything_stored()
    # Where no row is written, some of Django's calls raise and some return.
    with team_context(mallory.team_id), suppress(DatabaseError), transaction.atomic():
        write(record)
    assert everything_stored() == before


def test_another_teams_lead_is_not_converted(alice: Membership, mallory: Membership) -> None:
    lead = make_record(Lead, alice)
    before = everything_stored()
    for lead_id in (lead.pk, ABSENT_ID):
        with team_context(mallory.team_id), pytest.raises(NotFound):
            convert_lead(actor=actor_of(mallory), lead_id=lead_id)
    assert everything_stored() == before


def test_another_teams_key_is_not_found(key: IssuedKey, mallory: Membership) -> None:
    for key_id in (key.api_key.pk, ABSENT_ID):
        with transaction.atomic(), pytest.raises(NotFound):
            api_keys.lock_key(key_id, team_id=mallory.team_id)
    with transaction.atomic():
        assert api_keys.lock_key(key.api_key.pk) == key.api_key


@pytest.mark.parametrize("change", ["none", "inactive member", "inactive team"])
def test_a_session_moves_to_a_team_of_its_user_only(
    alice: Membership, mallory: Membership, change: str
) -> None:
    if change != "none":
        place = Membership.objects.create(team=alice.team, user=mallory.user)
        place.is_active = change != "inactive member"
        place.save()
        alice.team.is_active = change != "inactive team"
        alice.team.save()
    with pytest.raises(NotFound):
        switch_team(user_id=mallory.user_id, session_id=uuid.uuid4(), team_id=alice.team_id)
