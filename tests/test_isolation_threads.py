"""Two teams at once: on one connection after another, and in threads side by side."""

import pytest

from accounts.models import Membership
from accounts.tests.factories import access_token
from clients.models import Client
from conftest import ApiClient
from tests.team_records import make_record
from tests.threads import at_once

THREADS = 8
ROUNDS = 8


def seen_by(client: ApiClient, paths: list[str]) -> set[str]:
    """Return the ids that the lists show, and the ones that can be read."""
    listed = {
        row["id"]
        for path in ("/v1/clients", "/v1/clients?q=Quill", "/v1/clients?limit=7")
        for row in client.get(path).json()["data"]
    }
    read = {path.split("/")[-1] for path in paths if client.get(path).status_code == 200}
    assert listed == read
    return listed


@pytest.mark.django_db(transaction=True)
def test_each_team_sees_its_own_rows_whoever_used_the_connection_before(
    alice: Membership, mallory: Membership
) -> None:
    own = {member.pk: str(make_record(Client, member).pk) for member in (alice, mallory)}
    paths = [f"/v1/clients/{record_id}" for record_id in own.values()]
    tokens = {member.pk: f"Bearer {access_token(member)}" for member in (alice, mallory)}

    def alternate(number: int) -> list[tuple[str, set[str]]]:
        # psycopg prepares what a connection runs for the fifth time: the later rounds use it.
        members = [(alice, mallory)[(number + turn) % 2] for turn in range(ROUNDS)]
        return [
            (own[member.pk], seen_by(ApiClient(tokens[member.pk]), paths)) for member in members
        ]

    for answers in at_once(THREADS, alternate):
        assert [seen for _, seen in answers] == [{expected} for expected, _ in answers]


def test_a_member_of_two_teams_works_in_one_at_a_time(
    alice: Membership, mallory: Membership
) -> None:
    both = Membership.objects.create(team=alice.team, user=mallory.user, role="agent")
    own = {str(make_record(Client, member).pk): member.team_id for member in (alice, mallory)}
    client = ApiClient(f"Bearer {access_token(mallory)}")
    paths = [f"/v1/clients/{record_id}" for record_id in own]
    assert {own[pk] for pk in seen_by(client, paths)} == {mallory.team_id}
    switched = client.post_json("/v1/auth/switch-team", {"teamId": str(both.team_id)})
    there = ApiClient(f"Bearer {switched.json()['data']['accessToken']}")
    assert {own[pk] for pk in seen_by(there, paths)} == {alice.team_id}
    assert there.get("/v1/auth/me").json()["data"]["role"] == "agent"
    assert there.get("/v1/api-keys").status_code == 403
    both.delete()
    assert there.get("/v1/clients").status_code == 401
    assert {own[pk] for pk in seen_by(client, paths)} == {mallory.team_id}
