"""What a lead may hold."""

from typing import Any

import pytest

from accounts.models import Membership
from conftest import ApiClient
from leads.models import Lead
from tests.team_records import make_record

WHOLE = {
    "firstName": "Ada",
    "lastName": "Quill",
    "email": "ada@example.com",
    "phone": "+1 555 0100",
    "leadType": "renter",
    "leadStatus": "contacted",
    "source": "open house",
    "budgetMin": 150_000,
    "budgetMax": 200_000.5,
    "notes": "Two\nlines.",
    "assignedTo": None,
}
EMPTY = {
    "firstName": "Ada",
    "lastName": "",
    "email": "",
    "phone": "",
    "leadType": "other",
    "leadStatus": "new",
    "source": "",
    "budgetMin": None,
    "budgetMax": None,
    "notes": "",
    "assignedTo": None,
}
ANSWER_ONLY = {"id", "convertedClient", "convertedAt", "createdAt", "updatedAt", "createdBy"}


def test_whole_lead_comes_back_as_it_was_sent(as_bob: ApiClient, bob: Membership) -> None:
    body = {**WHOLE, "assignedTo": str(bob.user_id)}
    data = as_bob.post_json("/v1/leads", body).json()["data"]
    assert data.keys() == WHOLE.keys() | ANSWER_ONLY
    assert data.items() >= body.items()
    assert (data["convertedClient"], data["convertedAt"]) == (None, None)


def test_first_name_is_enough(as_bob: ApiClient) -> None:
    data = as_bob.post_json("/v1/leads", {"firstName": "Ada"}).json()["data"]
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
        ("leadType", [None, "", "Buyer", "tenant", 1, ["buyer"]]),
        ("leadStatus", [None, "", "open", "NEW", 0]),
        ("source", [None, 1, "x" * 81]),
        ("budgetMin", ["100", True, -1, 1e12, 0.001, [1], {}]),
        ("budgetMax", ["100", False, -0.01, 1e300, 1.005]),
        ("notes", [None, 1, "x" * 10_001]),
    ],
)
def test_wrong_value_is_named_and_nothing_is_kept(
    bob: Membership, as_bob: ApiClient, name: str, values: list[Any]
) -> None:
    lead = make_record(Lead, bob)
    for value in values:
        for answer in (
            as_bob.post_json("/v1/leads", {"firstName": "Ada", name: value}),
            as_bob.patch_json(f"/v1/leads/{lead.pk}", {name: value}),
        ):
            assert answer.status_code == 400, value
            assert answer.json()["error"]["details"].keys() == {name}
    assert as_bob.get("/v1/leads?count=true").json()["pagination"]["total"] == 1


@pytest.mark.parametrize(
    "body", [{"budgetMin": 2, "budgetMax": 1}, {"budgetMin": 0.02, "budgetMax": 0.01}]
)
def test_budget_upside_down_is_refused(as_bob: ApiClient, body: dict[str, float]) -> None:
    answer = as_bob.post_json("/v1/leads", {"firstName": "Ada", **body})
    assert answer.json()["error"]["details"].keys() == {"budgetMax"}


@pytest.mark.parametrize("body", [{"budgetMin": 6}, {"budgetMax": 4}])
def test_budget_is_judged_with_what_is_stored(
    bob: Membership, as_bob: ApiClient, body: dict[str, int]
) -> None:
    lead = make_record(Lead, bob, budget_min=5, budget_max=5)
    answer = as_bob.patch_json(f"/v1/leads/{lead.pk}", body)
    assert answer.json()["error"]["details"].keys() == {"budgetMax"}


@pytest.mark.parametrize(
    "body",
    [
        {"budgetMin": 0, "budgetMax": 0},
        {"budgetMin": 5},
        {"budgetMax": 999_999_999_999.99},
        {"budgetMin": None, "budgetMax": 1},
    ],
)
def test_budget_may_be_open_and_exact(as_bob: ApiClient, body: dict[str, float]) -> None:
    answer = as_bob.post_json("/v1/leads", {"firstName": "Ada", **body})
    assert answer.status_code == 201
    assert answer.json()["data"].items() >= body.items()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("leadType=buyer", ["A"]),
        ("leadStatus=lost", ["B"]),
        ("source=Website", ["A"]),
        ("source=web", []),
        ("leadType=seller&leadStatus=lost", ["B"]),
        ("leadType=buyer&leadStatus=lost", []),
        ("q=newspaper", ["B"]),
    ],
)
def test_list_is_narrowed_down(
    bob: Membership, as_bob: ApiClient, query: str, found: list[str]
) -> None:
    make_record(Lead, bob, first_name="A", lead_type="buyer", source="website")
    make_record(
        Lead, bob, first_name="B", lead_type="seller", lead_status="lost", source="newspaper"
    )
    data = as_bob.get(f"/v1/leads?{query}").json()["data"]
    assert [row["firstName"] for row in data] == found


@pytest.mark.parametrize("query", ["leadType=tenant", "leadStatus=open", "leadType=Buyer"])
def test_unknown_choice_of_a_filter_is_refused(as_bob: ApiClient, query: str) -> None:
    answer = as_bob.get(f"/v1/leads?{query}")
    assert answer.json()["error"]["details"].keys() == {query.partition("=")[0]}
