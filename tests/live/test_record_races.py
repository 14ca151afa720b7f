"""Conversions and key rotations that arrive together have one winner."""

from collections import Counter

import pytest

from tests.live.calls import Answer, Call, bearer, login, send
from tests.live.server import LiveServer

pytestmark = pytest.mark.live
RACERS = 16


@pytest.fixture
def admin(server: LiveServer) -> dict[str, str]:
    """The headers of a signed-in admin."""
    answer = server.answer(login(server.person("admin")))
    return bearer(answer.data["accessToken"])


def race(server: LiveServer, path: str, headers: dict[str, str]) -> list[Answer]:
    return send([(server.port, Call("POST", path, headers=headers))] * RACERS)


def test_sixteen_conversions_make_one_client(server: LiveServer, admin: dict[str, str]) -> None:
    for number in range(3):
        body = {"firstName": "Racer", "lastName": f"Number {number}"}
        lead = server.call("POST", "/v1/leads", body, **admin).data
        answers = race(server, f"/v1/leads/{lead['id']}/convert", admin)
        counted = Counter((answer.status, answer.code) for answer in answers)
        assert counted == {(201, None): 1, (409, "ALREADY_CONVERTED"): 15}
        (winner,) = (answer for answer in answers if answer.status == 201)
        losers = [answer.body["error"]["details"] for answer in answers if answer.status == 409]
        client_id = winner.data["client"]["id"]
        assert losers == [{"clientId": client_id}] * 15
        found = server.call("GET", f"/v1/clients?q=Racer+Number+{number}&count=true", **admin)
        assert client_id in [client["id"] for client in found.data]
    clients = server.call("GET", "/v1/clients?q=Racer", **admin).data
    assert len([client for client in clients if client["firstName"] == "Racer"]) == 3


def test_key_rotated_in_parallel_has_one_successor(
    server: LiveServer, admin: dict[str, str]
) -> None:
    body = {"name": "Racer", "scopes": {"clients": ["read"]}}
    key = server.call("POST", "/v1/api-keys", body, **admin).data
    answers = race(server, f"/v1/api-keys/{key['id']}/rotate", admin)
    counted = Counter((answer.status, answer.code) for answer in answers)
    assert counted == {(201, None): 1, (409, "CONFLICT"): 15}
    (winner,) = (answer for answer in answers if answer.status == 201)
    for working in (key["key"], winner.data["key"]):  # The old one ends after the overlap.
        assert server.call("GET", "/v1/clients", X_API_Key=working).status == 200


def test_lead_deleted_and_converted_at_once_is_one_or_the_other(
    server: LiveServer, admin: dict[str, str]
) -> None:
    for _ in range(5):
        lead = server.call("POST", "/v1/leads", {"firstName": "Either"}, **admin).data
        path = f"/v1/leads/{lead['id']}"
        calls = [Call("POST", f"{path}/convert", headers=admin), Call("DELETE", path, None, admin)]
        converted, deleted = send([(server.port, call) for call in calls])
        assert deleted.status == 200
        assert converted.status in {201, 404}
