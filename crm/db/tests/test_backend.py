"""A rollback takes the transaction back and leaves the prepared statements."""

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Team
from crm.db.owner import as_owner
from tests.plain_sql import fetch_all
from tests.wire import statements_on_the_wire

pytestmark = pytest.mark.django_db(transaction=True)
PREPARED = "SELECT count(*) FROM pg_prepared_statements"


def roll_back() -> None:
    with transaction.atomic():
        Team.objects.create(name="Taken back")
        transaction.set_rollback(True)


def prepared() -> int:
    """Return how many statements the server keeps for the connection."""
    return int(fetch_all(PREPARED)[0][0])


def test_a_rollback_takes_the_transaction_back() -> None:
    roll_back()
    assert not Team.objects.exists()


def test_prepared_statements_survive_a_rollback() -> None:
    for _ in range(6):
        Team.objects.count()
    kept = prepared()
    assert kept > 0
    with statements_on_the_wire() as sent:
        roll_back()
    assert "DEALLOCATE" not in str(sent)
    assert prepared() >= kept


def test_those_of_the_owner_do_not() -> None:
    with as_owner():
        for _ in range(6):
            Team.objects.count()
        roll_back()
        assert prepared() == 0


def test_a_transaction_that_failed_is_rolled_back() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        fetch_all("SELECT 1 / 0")
    assert not Team.objects.exists()


def test_a_connection_that_is_gone_fails_as_ever_and_is_replaced() -> None:
    def lose() -> None:
        with transaction.atomic():
            Team.objects.count()
            connection.connection.pgconn.finish()
            Team.objects.count()

    with pytest.raises(DatabaseError):
        lose()
    connection.close()
    assert Team.objects.count() == 0
