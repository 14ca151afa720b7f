"""Every team model and verb with another team's id, by user and by key.

The answer is the one for an id that does not exist, byte for byte, and nothing changes. The
models, their routes and actions are read from the code, so none can be forgotten.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from django.utils import timezone

from accounts.models import Membership
from conftest import ApiClient
from records.models import TeamModel
from tests.isolation import RECORD_ROUTES, comparable, every_caller, every_model, model_of_route
from tests.routes import ABSENT_ID, Route
from tests.team_records import VALUES, body_of, everything_stored, make_record, name_of


class Call(NamedTuple):
    """A call on one record."""

    model: type[TeamModel]
    route: Route
    method: str
    query: str = ""

    def __str__(self) -> str:
        return f"{self.method}-{self.route.name}{self.query}"

    def body(self) -> dict[str, Any]:
        """Return a body that the route takes."""
        return body_of(self.model) if self.method in {"PUT", "PATCH"} else {}

    def send(self, client: ApiClient, record_id: object) -> Any:
        """Make the call for a record."""
        data = "" if self.method in {"GET", "HEAD", "DELETE"} else json.dumps(self.body())
        path = self.route.path(record_id) + self.query
        return client.generic(self.method, path, data, content_type="application/json")


def calls_on_one_record() -> Iterator[Call]:
    for route in RECORD_ROUTES:
        if "<" not in route.pattern:
            continue
        for method in route.methods:
            yield Call(model_of_route(route), route, method)
            if method == "GET":
                yield Call(model_of_route(route), route, "HEAD")
            if method == "DELETE":
                yield Call(model_of_route(route), route, method, "?permanent=true")


CALLS = list(calls_on_one_record())
every_call = pytest.mark.parametrize("call", CALLS, ids=str)


@every_model
def test_every_team_model_has_a_factory_and_its_routes(model: type[TeamModel]) -> None:
    assert model in VALUES, f"tests/team_records.py has no values for {name_of(model)}"
    methods = {call.method for call in CALLS if call.model is model}
    assert methods >= {"GET", "HEAD", "PUT", "PATCH", "DELETE", "POST"}


@pytest.mark.parametrize("deleted_at", [None, timezone.now()], ids=["present", "deleted"])
@every_caller
@every_call
def test_mallory_gets_the_answer_of_an_absent_id_for_alices_record(
    request: pytest.FixtureRequest,
    alice: Membership,
    caller: str,
    call: Call,
    deleted_at: datetime | None,
) -> None:
    client = request.getfixturevalue(caller)
    record = make_record(call.model, alice, deleted_at=deleted_at)
    before = everything_stored()
    foreign, absent = call.send(client, record.pk), call.send(client, ABSENT_ID)
    assert foreign.status_code == 404
    assert comparable(foreign, record.pk) == comparable(absent)
    assert everything_stored() == before


@every_caller
@every_call
def test_mallory_reaches_her_own_record_by_the_same_call(
    request: pytest.FixtureRequest, mallory: Membership, caller: str, call: Call
) -> None:
    record = make_record(call.model, mallory)
    response = call.send(request.getfixturevalue(caller), record.pk)
    assert response.status_code in {200, 201}
