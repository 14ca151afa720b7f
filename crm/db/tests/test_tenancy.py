"""What a block that opens a team sees, inside and behind it."""

import pytest
from django.db import connection, transaction

from accounts.models import Membership
from crm.db.tenancy import context, team_context


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [f"app.{name}"])
        return str(cursor.fetchone()[0])


def test_a_block_sees_its_team_and_nothing_is_left_behind_it(alice: Membership) -> None:
    with team_context(alice.team_id, actor_id="7", actor_label="Job"):
        assert setting("team_id") == str(alice.team_id)
        assert (setting("actor_kind"), setting("actor_id")) == ("command", "7")
    assert {setting(name) for name in ("team_id", "actor_kind", "actor_id", "actor_label")} == {""}


def test_the_outer_block_sees_its_team_again_behind_an_inner_one(
    alice: Membership, mallory: Membership
) -> None:
    with team_context(alice.team_id, actor_label="Outer"):
        with team_context(mallory.team_id, actor_label="Inner"):
            assert setting("team_id") == str(mallory.team_id)
        assert setting("team_id") == str(alice.team_id)
        assert setting("actor_label") == "Outer"


def test_the_outer_block_sees_its_team_again_behind_a_failed_inner_one(
    alice: Membership, mallory: Membership
) -> None:
    with team_context(alice.team_id):
        with pytest.raises(ZeroDivisionError), team_context(mallory.team_id):
            raise ZeroDivisionError
        assert setting("team_id") == str(alice.team_id)


def test_a_block_that_is_rolled_back_leaves_no_team_behind_it(
    alice: Membership, mallory: Membership
) -> None:
    with team_context(alice.team_id):
        with team_context(mallory.team_id):
            transaction.set_rollback(True)
        assert setting("team_id") == str(alice.team_id)
    assert setting("team_id") == ""


def test_a_setting_outside_the_team_comes_back_too(db: None) -> None:
    with context(request_id="outer"):
        with context(request_id="inner"):
            assert setting("request_id") == "inner"
        assert setting("request_id") == "outer"


@pytest.mark.django_db(transaction=True)
def test_a_block_is_a_transaction_of_its_own(alice: Membership) -> None:
    with team_context(alice.team_id):
        assert setting("team_id") == str(alice.team_id)
    assert setting("team_id") == ""
    assert not connection.in_atomic_block
