"""What every list of people does: filters, search, ordering, pages, counts."""

import datetime
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from accounts.models import Membership
from conftest import ApiClient
from records.models import TeamModel
from tests.isolation import every_model, every_person, list_path
from tests.team_records import make_record

HOUR = datetime.timedelta(hours=1)
Names = Callable[..., list[str]]


@pytest.fixture
def names(as_bob: ApiClient) -> Names:
    """Return the first names that a list answers."""

    def names(model: type[TeamModel], query: str = "") -> list[str]:
        answer = as_bob.get(f"{list_path(model)}?{query}" if query else list_path(model))
        assert answer.status_code == 200, answer.json()
        return [row["firstName"] for row in answer.json()["data"]]

    return names


def make_row(model: type[TeamModel], member: Membership, count: int, **values: Any) -> list[str]:
    """Make records named A, B, C …, each an hour younger than the last; return their names."""
    began = timezone.now() - 100 * HOUR
    named = [chr(ord("A") + number) for number in range(count)]
    for number, name in enumerate(named):
        created_at = began + number * HOUR
        make_record(model, member, **{"created_at": created_at, **values, "first_name": name})
    return named


@every_person
def test_newest_record_comes_first(model: type[TeamModel], bob: Membership, names: Names) -> None:
    made = make_row(model, bob, 3)
    assert names(model) == made[::-1]
    assert names(model, "ordering=createdAt") == made


@every_person
def test_list_is_ordered_by_last_name_and_change(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient, names: Names
) -> None:
    records = [make_record(model, bob, first_name=n, last_name=n) for n in ("B", "A", "C")]
    assert names(model, "ordering=lastName") == ["A", "B", "C"]
    assert names(model, "ordering=-lastName") == ["C", "B", "A"]
    as_bob.patch_json(f"{list_path(model)}/{records[0].pk}", {"notes": "Changed"})
    assert names(model, "ordering=-updatedAt")[0] == "B"


@every_person
@pytest.mark.parametrize("ordering", ["createdAt", "-createdAt", "lastName", "-updatedAt"])
def test_pages_lead_forward_and_back(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient, ordering: str
) -> None:
    make_row(model, bob, 7, last_name="Same", created_at=timezone.now())
    path = f"{list_path(model)}?limit=3&ordering={ordering}"
    pages = [as_bob.get(path).json()]
    while cursor := pages[-1]["pagination"]["nextCursor"]:
        pages.append(as_bob.get(f"{path}&cursor={cursor}").json())
    forward = [[row["id"] for row in page["data"]] for page in pages]
    back = pages[-1]["pagination"]["previousCursor"]
    assert [len(page) for page in forward] == [3, 3, 1]
    assert len({pk for page in forward for pk in page}) == 7
    earlier = as_bob.get(f"{path}&cursor={back}").json()
    assert [row["id"] for row in earlier["data"]] == forward[1]
    first = as_bob.get(f"{path}&cursor={earlier['pagination']['previousCursor']}").json()
    assert [row["id"] for row in first["data"]] == forward[0]
    assert first["pagination"]["previousCursor"] is None


@every_person
def test_page_says_its_limit_and_the_total_on_request(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    make_row(model, bob, 3)
    pagination = as_bob.get(list_path(model)).json()["pagination"]
    assert pagination == {"limit": 25, "nextCursor": None, "previousCursor": None}
    page = as_bob.get(f"{list_path(model)}?count=true&limit=2").json()
    assert (page["pagination"]["total"], len(page["data"])) == (3, 2)
    none = as_bob.get(f"{list_path(model)}?count=true&lastName=x")
    assert none.status_code == 400


@every_person
def test_total_counts_what_the_filters_leave(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    make_row(model, bob, 3)
    make_record(model, bob, email="other@example.com")
    page = as_bob.get(f"{list_path(model)}?count=true&email=other@example.com").json()
    assert page["pagination"]["total"] == 1


@every_model
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=x", "cursor"),
        ("ordering=notes", "ordering"),
        ("ordering=createdAt,lastName", "ordering"),
        ("ordering=created_at", "ordering"),
        ("count=yes", "count"),
        ("deleted=maybe", "deleted"),
        ("createdAfter=yesterday", "createdAfter"),
        ("assignedTo=bob", "assignedTo"),
        ("createdBy=1", "createdBy"),
        ("email=", "email"),
        ("q=", "q"),
        ("q=a%00b", "q"),
        ("q=" + "x" * 201, "q"),
        ("team=1", "team"),
        ("team_id=1", "team_id"),
        ("notes__contains=x", "notes__contains"),
        ("access_token=x", "access_token"),
    ],
)
def test_wrong_parameter_is_named(
    model: type[TeamModel], as_bob: ApiClient, query: str, name: str
) -> None:
    answer = as_bob.get(f"{list_path(model)}?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"].keys() == {name}


@every_model
def test_two_hundred_records_are_a_page(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    assert as_bob.get(f"{list_path(model)}?limit=200").json()["pagination"]["limit"] == 200


@every_person
def test_list_is_narrowed_down_by_times(
    model: type[TeamModel], bob: Membership, names: Names
) -> None:
    now = timezone.now().replace(microsecond=0)
    for hours, name in [(1, "late"), (2, "middle"), (3, "early")]:
        make_record(model, bob, first_name=name, created_at=now - hours * HOUR)
    at = quote((now - 2 * HOUR).isoformat())
    assert names(model, f"createdAfter={at}") == ["late", "middle"]
    assert names(model, f"createdBefore={at}") == ["early"]
    assert names(model, f"updatedBefore={at}") == []
    assert len(names(model, f"updatedAfter={at}")) == 3


@every_person
def test_list_is_narrowed_down_by_people(
    model: type[TeamModel], alice: Membership, bob: Membership, names: Names
) -> None:
    make_record(model, alice, first_name="hers", assigned_to_id=None)
    make_record(model, bob, first_name="his", assigned_to_id=alice.user_id)
    assert names(model, f"createdBy={alice.user_id}") == ["hers"]
    assert names(model, f"assignedTo={alice.user_id}") == ["his"]
    assert names(model, f"assignedTo={uuid.uuid4()}") == []
    assert names(model, f"createdBy={bob.user_id}&assignedTo={alice.user_id}") == ["his"]


@every_person
def test_email_filter_knows_no_case(model: type[TeamModel], bob: Membership, names: Names) -> None:
    make_record(model, bob, first_name="A", email="Ann@Example.com")
    make_record(model, bob, first_name="B", email="ben@example.com")
    assert names(model, "email=ann@example.COM") == ["A"]
    assert names(model, "email=ann") == []


@every_person
@pytest.mark.parametrize(
    "text",
    [
        "johansson",
        "JOHANSSON",
        "hansson",
        "Margareta Johansson",
        "jonansson",
        "johanson",
        "johannson",
        "margreta",
        "margarta johansson",
        "margareta@",
        "555 0199",
        "sson",
    ],
)
def test_search_finds_parts_and_forgives_typing_errors(
    model: type[TeamModel], bob: Membership, names: Names, text: str
) -> None:
    make_record(
        model,
        bob,
        first_name="Margareta",
        last_name="Johansson",
        email="margareta@example.com",
        phone="+1 555 0199",
    )
    make_record(model, bob, first_name="Quentin", last_name="Bligh", email="q@example.org")
    assert names(model, f"q={quote(text)}") == ["Margareta"]


@every_person
@pytest.mark.parametrize("text", ["%", "_", "\\", "'", "zzzzzz", "%%%", "* OR 1=1"])
def test_search_takes_signs_as_they_are(
    model: type[TeamModel], bob: Membership, names: Names, text: str
) -> None:
    make_record(model, bob)
    assert names(model, f"q={quote(text)}") == []


@every_person
def test_search_keeps_to_filters_pages_and_present_records(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient, names: Names
) -> None:
    make_row(model, bob, 3, last_name="Wanted")
    gone = make_record(model, bob, first_name="Gone", last_name="Wanted")
    make_record(model, bob, first_name="Other", last_name="Wanted", email="other@example.com")
    as_bob.delete(f"{list_path(model)}/{gone.pk}")
    assert names(model, "q=wanted&email=other@example.com") == ["Other"]
    assert names(model, "q=wanted&deleted=true") == ["Gone"]
    page = as_bob.get(f"{list_path(model)}?q=wanted&limit=3&count=true").json()
    assert (len(page["data"]), page["pagination"]["total"]) == (3, 4)
    cursor = page["pagination"]["nextCursor"]
    assert names(model, f"q=wanted&limit=3&cursor={cursor}") == ["A"]
