"""Working in another of one's teams with the same sign-in."""

import uuid

import pytest

from accounts.models import Membership, Session, Team
from accounts.tests.calls import code_of, me, refresh_with, sign_in_app
from accounts.tests.factories import make_team
from conftest import ApiClient
from security.access.roles import Role

SWITCH = "/v1/auth/switch-team"


@pytest.fixture
def second(alice: Membership) -> Membership:
    """Alice's place in another team, where she is an agent."""
    team = make_team("Second")
    return Membership.objects.create(team=team, user=alice.user, role=Role.AGENT)


def test_alice_switches_to_her_other_team(second: Membership, as_alice: ApiClient) -> None:
    answer = as_alice.post_json(SWITCH, {"teamId": str(second.team_id)})
    data = answer.json()["data"]
    assert data.keys() == {"user", "accessToken", "expiresIn", "expiresInSeconds", "tokenType"}
    assert data["user"]["team"] == {"id": str(second.team_id), "name": "Second"}
    assert data["user"]["role"] == "agent"
    assert me(data["accessToken"]).json()["data"] == data["user"]


def test_refresh_stays_in_the_team(second: Membership) -> None:
    signed_in = sign_in_app(ApiClient())
    client = ApiClient(f"Bearer {signed_in['accessToken']}")
    client.post_json(SWITCH, {"teamId": str(second.team_id)})
    refreshed = refresh_with(signed_in["refreshToken"]).json()["data"]["accessToken"]
    assert me(refreshed).json()["data"]["team"]["name"] == "Second"


def test_switched_token_sees_the_other_teams_records_only(
    second: Membership, as_alice: ApiClient
) -> None:
    as_alice.post_json("/v1/clients", {"firstName": "Ann"})
    data = as_alice.post_json(SWITCH, {"teamId": str(second.team_id)}).json()["data"]
    switched = ApiClient(f"Bearer {data['accessToken']}")
    assert switched.get("/v1/clients").json()["data"] == []
    assert len(as_alice.get("/v1/clients").json()["data"]) == 1


def test_team_of_others_answers_as_an_absent_one(as_alice: ApiClient, team_b: Team) -> None:
    for team_id in (team_b.pk, uuid.uuid4()):
        answer = as_alice.post_json(SWITCH, {"teamId": str(team_id)})
        assert code_of(answer) == (404, "NOT_FOUND")


def test_removed_member_cannot_switch(second: Membership, as_alice: ApiClient) -> None:
    Membership.objects.filter(pk=second.pk).update(is_active=False)
    answer = as_alice.post_json(SWITCH, {"teamId": str(second.team_id)})
    assert code_of(answer) == (404, "NOT_FOUND")
    assert Session.objects.get().team_id != second.team_id


def test_nobody_switches_to_an_inactive_team(second: Membership, as_alice: ApiClient) -> None:
    Team.objects.filter(pk=second.team_id).update(is_active=False)
    answer = as_alice.post_json(SWITCH, {"teamId": str(second.team_id)})
    assert code_of(answer) == (404, "NOT_FOUND")


@pytest.mark.parametrize("body", [{}, {"teamId": "1"}, {"teamId": None}, {"team": "x"}])
def test_malformed_switch_is_a_validation_error(
    as_alice: ApiClient, body: dict[str, object]
) -> None:
    assert code_of(as_alice.post_json(SWITCH, body)) == (400, "VALIDATION_ERROR")


def test_key_cannot_switch(as_key: ApiClient, team_b: Team) -> None:
    answer = as_key.post_json(SWITCH, {"teamId": str(team_b.pk)})
    assert code_of(answer) == (403, "PERMISSION_DENIED")


def test_stranger_cannot_switch(as_stranger: ApiClient, team_b: Team) -> None:
    answer = as_stranger.post_json(SWITCH, {"teamId": str(team_b.pk)})
    assert code_of(answer) == (401, "AUTHENTICATION_REQUIRED")
