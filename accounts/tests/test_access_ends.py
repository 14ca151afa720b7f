"""Whatever takes access away takes it with the next call: tokens, refreshes and keys."""

import datetime
from collections.abc import Callable

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Membership, Team, User
from accounts.sessions.sign_out import end_sessions_by_staff
from accounts.tests.calls import code_of, me, refresh_with, sign_in_app
from accounts.tests.factories import make_team
from conftest import ApiClient
from security.access.roles import Role

REVOKED = (401, "SESSION_REVOKED")


def deactivate_user(member: Membership) -> None:
    User.objects.filter(pk=member.user_id).update(is_active=False)


def remove_membership(member: Membership) -> None:
    Membership.objects.filter(pk=member.pk).update(is_active=False)


def delete_membership(member: Membership) -> None:
    Membership.objects.filter(pk=member.pk).delete()


def deactivate_team(member: Membership) -> None:
    Team.objects.filter(pk=member.team_id).update(is_active=False)


def delete_user(member: Membership) -> None:
    User.objects.filter(pk=member.user_id).delete()


TakeAway = Callable[[Membership], None]
every_way = pytest.mark.parametrize(
    "take_away",
    [deactivate_user, remove_membership, delete_membership, deactivate_team, delete_user],
)


@every_way
def test_next_call_and_refresh_are_refused(alice: Membership, take_away: TakeAway) -> None:
    tokens = sign_in_app(ApiClient())
    assert me(tokens["accessToken"]).status_code == 200
    take_away(alice)
    assert code_of(me(tokens["accessToken"])) == REVOKED
    answer = refresh_with(tokens["refreshToken"])
    assert code_of(answer) == (401, "INVALID_REFRESH_TOKEN")


@every_way
def test_keys_of_the_owner_are_refused(
    alice: Membership, as_key: ApiClient, take_away: TakeAway
) -> None:
    assert as_key.get("/v1/clients").status_code == 200
    take_away(alice)
    assert code_of(as_key.get("/v1/clients")) == (401, "INVALID_API_KEY")


def test_records_are_closed_too(alice: Membership, as_alice: ApiClient) -> None:
    deactivate_user(alice)
    assert code_of(as_alice.get("/v1/clients")) == REVOKED


def test_reactivated_user_works_on_with_the_same_session(alice: Membership) -> None:
    tokens = sign_in_app(ApiClient())
    deactivate_user(alice)
    assert code_of(refresh_with(tokens["refreshToken"]))[0] == 401
    User.objects.update(is_active=True)
    assert refresh_with(tokens["refreshToken"]).status_code == 200


def test_member_removed_from_one_team_keeps_the_other(alice: Membership) -> None:
    Membership.objects.create(team=make_team("Second"), user=alice.user, role=Role.AGENT)
    tokens = sign_in_app(ApiClient())
    remove_membership(alice)
    assert code_of(me(tokens["accessToken"])) == REVOKED
    assert sign_in_app(ApiClient())["user"]["team"]["name"] == "Second"


def test_new_role_counts_with_the_next_call(bob: Membership, as_bob: ApiClient) -> None:
    client = as_bob.post_json("/v1/clients", {"firstName": "Ann"}).json()["data"]
    Membership.objects.filter(pk=bob.pk).update(role=Role.DATA_ENTRY)
    answer = as_bob.delete(f"/v1/clients/{client['id']}")
    assert code_of(answer) == (403, "PERMISSION_DENIED")
    assert as_bob.get("/v1/auth/me").json()["data"]["role"] == "data_entry"


def test_sessions_ended_by_staff_are_refused(alice: Membership, bob: Membership) -> None:
    tokens = [sign_in_app(ApiClient()) for _ in range(2)]
    bobs = sign_in_app(ApiClient(), "bob@example.com")
    assert end_sessions_by_staff(alice.user) == 2
    assert [code_of(me(each["accessToken"])) for each in tokens] == [REVOKED, REVOKED]
    assert me(bobs["accessToken"]).status_code == 200


def test_idle_session_is_refused(alice: Membership) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in_app(ApiClient())
        tokens = sign_in_app(ApiClient())
        clock.shift(datetime.timedelta(days=7))
        assert code_of(refresh_with(tokens["refreshToken"]))[0] == 401


def test_access_token_of_an_idle_session_is_refused(alice: Membership) -> None:
    tokens = sign_in_app(ApiClient())
    alice.user.sessions.update(last_seen_at=timezone.now() - datetime.timedelta(days=7))
    assert code_of(me(tokens["accessToken"])) == REVOKED


def test_access_token_of_a_session_past_its_end_is_refused(alice: Membership) -> None:
    tokens = sign_in_app(ApiClient())
    alice.user.sessions.update(expires_at=timezone.now())
    assert code_of(me(tokens["accessToken"])) == REVOKED
