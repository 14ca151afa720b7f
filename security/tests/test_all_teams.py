"""The door of staff: it shows all teams, closes with its block, and is recorded."""

import logging

import pytest

from accounts.models import Membership
from clients.models import Client
from crm.db.tenancy import team_context
from security.access.all_teams import all_teams
from tests.team_records import make_record

DOOR = {"reason": "support case 7", "actor_id": "42", "actor_label": "staff@example.com"}


@pytest.fixture
def both_clients(alice: Membership, mallory: Membership) -> set[object]:
    return {make_record(Client, member).pk for member in (alice, mallory)}


def seen() -> set[object]:
    return set(Client.objects.values_list("pk", flat=True))


def test_staff_see_every_team_inside_the_door_only(both_clients: set[object]) -> None:
    with all_teams(**DOOR):
        assert seen() == both_clients
    assert seen() == set()


def test_the_door_closes_when_its_block_fails(both_clients: set[object]) -> None:
    with pytest.raises(ZeroDivisionError), all_teams(**DOOR):
        raise ZeroDivisionError
    assert seen() == set()


def test_a_team_sees_only_itself_again_behind_the_door(
    both_clients: set[object], alice: Membership
) -> None:
    with team_context(alice.team_id):
        with all_teams(**DOOR):
            assert seen() == both_clients
        assert len(seen()) == 1
    assert seen() == set()


def test_a_team_inside_the_door_sees_only_itself(
    both_clients: set[object], alice: Membership
) -> None:
    with all_teams(**DOOR):
        with team_context(alice.team_id):
            assert len(seen()) == 1
        assert seen() == both_clients


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_the_outer_door_stays_open_behind_an_inner_one(
    both_clients: set[object], error: type[Exception] | None
) -> None:
    with all_teams(**DOOR):
        try:
            with all_teams(**DOOR):
                if error:
                    raise error
        except ZeroDivisionError:
            pass
        assert seen() == both_clients
    assert seen() == set()


@pytest.mark.django_db(transaction=True)
def test_the_next_transaction_finds_the_door_closed(both_clients: set[object]) -> None:
    with all_teams(**DOOR):
        assert seen() == both_clients
    assert seen() == set()


def test_each_opening_is_recorded_with_its_reason(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="security.access.all_teams"), all_teams(**DOOR):
        pass
    assert caplog.messages == ["All-teams door opened by 42: support case 7"]
