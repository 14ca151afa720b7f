"""Lists, filters, counts, cursors and bodies that name what another team has."""

import json
from datetime import datetime
from typing import Any, NamedTuple

import pytest

from accounts.models import Membership
from conftest import ApiClient
from records.models import TeamModel
from tests.isolation import (
    RECORD_ROUTES,
    comparable,
    every_caller,
    every_model,
    list_path,
    model_of_route,
)
from tests.routes import ABSENT_ID
from tests.team_records import body_of, everything_stored, make_record


class Lists(NamedTuple):
    """A record of each team with the same content, and the list that mallory asks."""

    path: str
    own: Any
    foreign: Any


@pytest.fixture
def lists(model: type[TeamModel], alice: Membership, mallory: Membership) -> Lists:
    return Lists(list_path(model), make_record(model, mallory), make_record(model, alice))


def ids_in(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["data"]]


@every_caller
@every_model
def test_mallory_lists_finds_and_counts_her_own_records_only(
    request: pytest.FixtureRequest, caller: str, lists: Lists
) -> None:
    client = request.getfixturevalue(caller)
    for query in ("", "?q=Quill", "?q=Quil", "?limit=200", "?ordering=createdAt"):
        assert ids_in(client.get(lists.path + query)) == [str(lists.own.pk)], query
    counted = client.get(f"{lists.path}?count=true").json()
    assert counted["pagination"]["total"] == 1
    assert ids_in(client.get(f"{lists.path}?deleted=true")) == []


def filter_names() -> list[tuple[type[TeamModel], str]]:
    return [
        (model_of_route(route), name)
        for route in RECORD_ROUTES
        if route.name.endswith("-list")
        for name in route.view.filterset_class.base_filters
    ]


def filter_value(model: type[TeamModel], name: str, record: Any) -> str:
    """Return the value of the filter that the record matches."""
    view = next(route.view for route in RECORD_ROUTES if model_of_route(route) is model)
    filter_ = view.filterset_class.base_filters[name]
    if name == "deleted":
        return "false"
    value = getattr(record, filter_.field_name)
    value = value[0] if isinstance(value, list) else value
    assert value, f"tests/team_records.py leaves {filter_.field_name} empty"
    if isinstance(value, datetime):
        # `…Before` leaves out the moment itself.
        value = "2000-01-01T00:00:00Z" if name.endswith("After") else "2100-01-01T00:00:00Z"
    return str(value)


@pytest.mark.parametrize(("model", "name"), filter_names(), ids=str)
def test_a_filter_with_alices_value_finds_none_of_her_records(
    as_mallory: ApiClient, lists: Lists, model: type[TeamModel], name: str
) -> None:
    value = filter_value(model, name, lists.foreign)
    response = as_mallory.get(lists.path, {name: value})
    assert set(ids_in(response)) <= {str(lists.own.pk)}
    own_value = filter_value(model, name, lists.own)
    assert ids_in(as_mallory.get(lists.path, {name: own_value})) == [str(lists.own.pk)]


@pytest.mark.parametrize("name", ["createdBy", "assignedTo"])
@every_model
def test_a_filter_by_alice_answers_as_by_an_absent_user(
    as_mallory: ApiClient, lists: Lists, alice: Membership, name: str
) -> None:
    foreign = as_mallory.get(lists.path, {name: str(alice.user_id), "count": "true"})
    absent = as_mallory.get(lists.path, {name: str(ABSENT_ID), "count": "true"})
    assert comparable(foreign) == comparable(absent)
    assert ids_in(foreign) == []


@every_model
def test_alices_cursor_shows_mallory_her_own_records_only(
    as_alice: ApiClient,
    as_mallory: ApiClient,
    model: type[TeamModel],
    lists: Lists,
    alice: Membership,
) -> None:
    make_record(model, alice)
    cursor = as_alice.get(lists.path, {"limit": "1"}).json()["pagination"]["nextCursor"]
    page = as_mallory.get(lists.path, {"cursor": cursor})
    assert set(ids_in(page)) <= {str(lists.own.pk)}


@pytest.mark.parametrize("name", ["team", "teamId", "team_id", "team__id", "tenant"])
@every_model
def test_a_team_in_the_query_or_a_header_opens_nothing(
    as_mallory: ApiClient, lists: Lists, alice: Membership, name: str
) -> None:
    assert as_mallory.get(lists.path, {name: str(alice.team_id)}).status_code == 400
    response = as_mallory.get(lists.path, headers={f"X-{name}": str(alice.team_id)})
    assert ids_in(response) == [str(lists.own.pk)]


# What a body may name.


@pytest.mark.parametrize("name", ["team", "teamId", "id", "createdBy", "deletedAt"])
@every_model
def test_a_body_that_names_a_team_or_an_author_is_refused(
    as_mallory: ApiClient, model: type[TeamModel], alice: Membership, name: str
) -> None:
    before = everything_stored()
    body = {**body_of(model), name: str(alice.team_id)}
    response = as_mallory.post_json(list_path(model), body)
    assert response.status_code == 400
    assert list(response.json()["error"]["details"]) == [name]
    assert everything_stored() == before


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@every_caller
@every_model
def test_alice_cannot_be_made_to_look_after_mallorys_record(
    request: pytest.FixtureRequest,
    model: type[TeamModel],
    alice: Membership,
    mallory: Membership,
    caller: str,
    method: str,
) -> None:
    client = request.getfixturevalue(caller)
    record = make_record(model, mallory)
    path = list_path(model) if method == "POST" else f"{list_path(model)}/{record.pk}"

    def assign(user_id: object) -> Any:
        body = json.dumps({**body_of(model), "assignedTo": str(user_id)})
        return client.generic(method, path, body, content_type="application/json")

    before = everything_stored()
    foreign, absent = assign(alice.user_id), assign(ABSENT_ID)
    assert comparable(foreign) == comparable(absent)
    assert foreign.status_code == 400
    assert list(foreign.json()["error"]["details"]) == ["assignedTo"]
    assert everything_stored() == before
    assert assign(mallory.user_id).status_code in {200, 201}
