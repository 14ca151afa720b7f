"""The search function sees the team that the transaction opened, and no other."""

import pytest
from django.db import connection

from accounts.models import Membership
from clients.models import Client
from crm.db.tenancy import team_context

EVERYTHING = ["%", "", 100]


def call_search(*arguments: object) -> list[object]:
    with connection.cursor() as cursor:
        cursor.callproc("search_clients_client", arguments)
        return [found for (found,) in cursor.fetchall()]


@pytest.fixture
def client_of_a(alice: Membership) -> Client:
    with team_context(alice.team_id):
        client: Client = Client.objects.create(
            team_id=alice.team_id, first_name="Anna", last_name="Johnson"
        )
    return client


def test_search_without_a_team_finds_nothing(client_of_a: Client) -> None:
    assert call_search(*EVERYTHING) == []


def test_search_of_another_team_finds_nothing(client_of_a: Client, mallory: Membership) -> None:
    with team_context(mallory.team_id):
        assert call_search(*EVERYTHING) == []


def test_search_of_the_own_team_finds_its_rows(client_of_a: Client) -> None:
    with team_context(client_of_a.team_id):
        assert call_search(*EVERYTHING) == [client_of_a.pk]


@pytest.mark.parametrize("wanted", ["johnson", "jonhson", "jhonson", "ohns"])
def test_search_tolerates_typing_errors(client_of_a: Client, wanted: str) -> None:
    with team_context(client_of_a.team_id):
        assert call_search(f"%{wanted}%", wanted, 100) == [client_of_a.pk]


def test_search_function_belongs_to_a_role_that_cannot_sign_in(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.rolname, r.rolcanlogin, p.prosecdef FROM pg_proc p"
            " JOIN pg_roles r ON r.oid = p.proowner WHERE p.proname LIKE 'search_%'"
        )
        assert set(cursor.fetchall()) == {("crm_search", False, True)}
