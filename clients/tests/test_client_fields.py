"""What a client may hold."""

from typing import Any

import pytest

from accounts.models import Membership
from clients.models import Client
from conftest import ApiClient
from tests.team_records import make_record

ADDRESS = {
    "line1": "1 Harbor Road",
    "line2": "Flat 2",
    "city": "Portland",
    "state": "ME",
    "postalCode": "04101",
    "country": "US",
}
WHOLE = {
    "firstName": "Ada",
    "lastName": "Quill",
    "email": "ada@example.com",
    "phone": "+1 555 0100",
    "contactType": "tenant",
    "status": "inactive",
    "address": ADDRESS,
    "tags": ["vip", "first-time buyer"],
    "notes": "Two\nlines.",
    "assignedTo": None,
}
EMPTY: dict[str, object] = {
    "firstName": "Ada",
    "lastName": "",
    "email": "",
    "phone": "",
    "contactType": "other",
    "status": "active",
    "address": {},
    "tags": [],
    "notes": "",
    "assignedTo": None,
}
ANSWER_ONLY = {"id", "createdAt", "updatedAt", "createdBy"}


def test_whole_client_comes_back_as_it_was_sent(as_bob: ApiClient, bob: Membership) -> None:
    body = {**WHOLE, "assignedTo": str(bob.user_id)}
    data = as_bob.post_json("/v1/clients", body).json()["data"]
    assert data.keys() == WHOLE.keys() | ANSWER_ONLY
    assert data.items() >= body.items()


def test_first_name_is_enough(as_bob: ApiClient) -> None:
    data = as_bob.post_json("/v1/clients", {"firstName": "Ada"}).json()["data"]
    assert data.items() >= EMPTY.items()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("firstName", [None, "", "  ", 1, True, ["x"], {}, "x" * 81]),
        ("lastName", [None, 1, "x" * 81]),
        (
            "email",
            [None, 1, "x", "a@", "@b.example", "a b@c.example", "a@b", "x" * 245 + "@b.example"],
        ),
        ("phone", [None, 15550100, "1" * 41]),
        ("contactType", [None, "", "Buyer", "renter", 1, ["buyer"]]),
        ("status", [None, "", "deleted", "ACTIVE", 0]),
        ("address", [None, "x", 1, ["x"]]),
        ("tags", [None, "vip", {"a": 1}, ["x"] * 51]),
        ("notes", [None, 1, "x" * 10_001]),
    ],
)
def test_wrong_value_is_named_and_nothing_is_kept(
    bob: Membership, as_bob: ApiClient, name: str, values: list[Any]
) -> None:
    client = make_record(Client, bob)
    for value in values:
        for answer in (
            as_bob.post_json("/v1/clients", {"firstName": "Ada", name: value}),
            as_bob.patch_json(f"/v1/clients/{client.pk}", {name: value}),
        ):
            assert answer.status_code == 400, value
            assert answer.json()["error"]["details"].keys() == {name}
    assert as_bob.get("/v1/clients?count=true").json()["pagination"]["total"] == 1


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ({"line1": "x" * 201}, "address.line1"),
        ({"postalCode": 4101}, "address.postalCode"),
        ({"postalCode": "1" * 21}, "address.postalCode"),
        ({"city": None}, "address.city"),
        ({"postal_code": "1"}, "address.postal_code"),
        ({"planet": "Earth"}, "address.planet"),
        ({"country": {"code": "US"}}, "address.country"),
    ],
)
def test_wrong_part_of_an_address_is_named(
    as_bob: ApiClient, address: dict[str, object], name: str
) -> None:
    answer = as_bob.post_json("/v1/clients", {"firstName": "Ada", "address": address})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"].keys() == {name}


@pytest.mark.parametrize("tag", ["", "x" * 51, 1, None, ["x"], {}])
def test_wrong_tag_is_refused(as_bob: ApiClient, tag: object) -> None:
    answer = as_bob.post_json("/v1/clients", {"firstName": "Ada", "tags": ["vip", tag]})
    assert answer.status_code == 400
    assert all(name.startswith("tags") for name in answer.json()["error"]["details"])


def test_patch_replaces_an_address_as_a_whole(bob: Membership, as_bob: ApiClient) -> None:
    client = make_record(Client, bob, address=ADDRESS)
    answer = as_bob.patch_json(f"/v1/clients/{client.pk}", {"address": {"city": "Boulder"}})
    assert answer.json()["data"]["address"] == {"city": "Boulder"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("contactType=buyer", ["A"]),
        ("status=archived", ["B"]),
        ("tag=vip", ["A"]),
        ("tag=vi", []),
        ("contactType=vendor&status=archived", ["B"]),
        ("contactType=buyer&status=archived", []),
    ],
)
def test_list_is_narrowed_down(
    bob: Membership, as_bob: ApiClient, query: str, found: list[str]
) -> None:
    make_record(Client, bob, first_name="A", contact_type="buyer", tags=["vip", "cash"])
    make_record(Client, bob, first_name="B", contact_type="vendor", status="archived", tags=[])
    data = as_bob.get(f"/v1/clients?{query}").json()["data"]
    assert [row["firstName"] for row in data] == found


@pytest.mark.parametrize("query", ["contactType=renter", "status=gone", "status=ACTIVE"])
def test_unknown_choice_of_a_filter_is_refused(as_bob: ApiClient, query: str) -> None:
    answer = as_bob.get(f"/v1/clients?{query}")
    assert answer.json()["error"]["details"].keys() == {query.partition("=")[0]}
