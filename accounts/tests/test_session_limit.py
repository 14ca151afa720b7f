"""A stolen session cannot keep its owner from ending it by using up the limits."""

from collections.abc import Callable

import pytest

from accounts.models import Membership, Session
from accounts.tests.account_calls import change
from accounts.tests.calls import me
from accounts.tests.factories import PASSWORD, access_token, make_device
from conftest import ApiClient
from security.tests.counters import SetRate


def end_thief(owner: ApiClient) -> int:
    """Answer the status of ending the session that is not the owner's own."""
    sessions = owner.get("/v1/auth/sessions").json()["data"]
    (stolen,) = (session["id"] for session in sessions if not session["current"])
    return int(owner.delete(f"/v1/auth/sessions/{stolen}").status_code)


def end_device(owner: ApiClient) -> int:
    make_device(Session.objects.all()[0].user)
    (device,) = owner.get("/v1/auth/devices").json()["data"]
    return int(owner.delete(f"/v1/auth/devices/{device['id']}").status_code)


def end_all(owner: ApiClient) -> int:
    return int(owner.post_json("/v1/auth/logout-all", {}).status_code)


def prove(owner: ApiClient) -> int:
    return int(owner.post_json("/v1/auth/reauthenticate", {"password": PASSWORD}).status_code)


def change_password(owner: ApiClient) -> int:
    return int(change(owner).status_code)


@pytest.mark.parametrize("act", [end_thief, end_device, end_all, prove, change_password])
def test_an_owner_acts_when_a_thief_has_used_everything_up(
    alice: Membership, set_rate: SetRate, act: Callable[[ApiClient], int]
) -> None:
    set_rate("api", "1/1d")
    set_rate("session", "2/1d")
    thief, owner = (ApiClient(f"Bearer {access_token(alice)}") for _ in range(2))
    assert [thief.get("/v1/auth/me").status_code for _ in range(2)] == [200, 429]
    assert [thief.get("/v1/auth/sessions").status_code for _ in range(3)] == [200, 200, 429]
    assert owner.get("/v1/auth/me").status_code == 429
    assert act(owner) == 200


def test_a_key_counts_as_a_key_everywhere(as_key: ApiClient, set_rate: SetRate) -> None:
    set_rate("api", "1/1d")
    answers = [as_key.get("/v1/auth/sessions").status_code for _ in range(2)]
    assert answers == [403, 429]


def test_ordinary_calls_and_these_are_counted_apart(alice: Membership, set_rate: SetRate) -> None:
    set_rate("session", "1/1d")
    token = access_token(alice)
    client = ApiClient(f"Bearer {token}")
    assert [client.get("/v1/auth/devices").status_code for _ in range(2)] == [200, 429]
    assert me(token).status_code == 200
