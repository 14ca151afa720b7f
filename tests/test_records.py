"""What every resource of records does with one record: create, read, change, delete, restore."""

import uuid
from typing import Any

import pytest

from accounts.models import Membership
from conftest import ApiClient
from records.models import TeamModel
from tests.isolation import every_model, every_person, list_path
from tests.team_records import body_of, make_record, stored_rows

COMMON_FIELDS = {"id", "createdAt", "updatedAt", "createdBy"}


def path_to(record: TeamModel) -> str:
    return f"{list_path(type(record))}/{record.pk}"


def code_of(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, (answer.json().get("error") or {}).get("code")


@every_model
def test_bob_creates_a_record_of_his_team(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    answer = as_bob.post_json(list_path(model), body_of(model))
    data = answer.json()["data"]
    assert answer.status_code == 201
    assert data.keys() >= COMMON_FIELDS
    assert data.items() >= body_of(model).items()
    assert data["createdBy"] == str(bob.user_id)
    assert (data["createdAt"][-1], data["updatedAt"][-1]) == ("Z", "Z")
    row = stored_rows(model._meta.db_table)[uuid.UUID(data["id"])]
    assert row["team_id"] == str(bob.team_id)


@every_model
def test_record_reads_the_same_everywhere(model: type[TeamModel], as_bob: ApiClient) -> None:
    created = as_bob.post_json(list_path(model), body_of(model)).json()["data"]
    read = as_bob.get(f"{list_path(model)}/{created['id']}").json()["data"]
    assert read == created
    assert as_bob.get(list_path(model)).json()["data"] == [created]


@every_model
def test_key_creates_in_the_name_of_its_owner(
    model: type[TeamModel], alice: Membership, as_key: ApiClient
) -> None:
    data = as_key.post_json(list_path(model), body_of(model)).json()["data"]
    assert data["createdBy"] == str(alice.user_id)


@every_person
def test_patch_changes_what_it_names(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    record = make_record(model, bob)
    before = as_bob.get(path_to(record)).json()["data"]
    answer = as_bob.patch_json(path_to(record), {"lastName": "Changed"})
    after = answer.json()["data"]
    assert answer.status_code == 200
    assert after["updatedAt"] > before["updatedAt"]
    assert after == {**before, "lastName": "Changed", "updatedAt": after["updatedAt"]}
    assert as_bob.get(path_to(record)).json()["data"] == after


@every_model
def test_empty_patch_changes_nothing(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    record = make_record(model, bob)
    before = as_bob.get(path_to(record)).json()["data"]
    after = as_bob.patch_json(path_to(record), {}).json()["data"]
    assert {**after, "updatedAt": ""} == {**before, "updatedAt": ""}


@every_person
def test_put_puts_back_the_defaults_of_what_it_does_not_name(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    record = make_record(model, bob, notes="Old")
    replaced = as_bob.put_json(path_to(record), {"firstName": "New"}).json()["data"]
    fresh = as_bob.post_json(list_path(model), {"firstName": "New"}).json()["data"]
    own = dict.fromkeys(COMMON_FIELDS)
    assert {**replaced, **own} == {**fresh, **own}
    assert (replaced["id"], replaced["createdBy"]) == (str(record.pk), str(bob.user_id))


@every_person
def test_put_needs_the_required_fields(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    answer = as_bob.put_json(path_to(make_record(model, bob)), {})
    assert code_of(answer) == (400, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"].keys() == {"firstName"}


@every_model
@pytest.mark.parametrize(
    "name",
    [
        "id",
        "team",
        "teamId",
        "team_id",
        "createdAt",
        "updatedAt",
        "createdBy",
        "created_by_id",
        "deletedAt",
        "searchText",
        "first_name",
        "nonsense",
        "__class__",
    ],
)
def test_fields_that_are_not_the_callers_are_refused(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient, name: str
) -> None:
    record = make_record(model, bob)
    before = stored_rows(model._meta.db_table)
    body = {**body_of(model), name: str(uuid.uuid4())}
    for answer in (
        as_bob.post_json(list_path(model), body),
        as_bob.put_json(path_to(record), body),
        as_bob.patch_json(path_to(record), {name: str(uuid.uuid4())}),
    ):
        assert code_of(answer) == (400, "VALIDATION_ERROR")
        assert answer.json()["error"]["details"].keys() == {name}
    assert stored_rows(model._meta.db_table) == before


@every_model
def test_deleted_record_is_gone_from_everything_but_restore(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    record = make_record(model, bob)
    answer = as_bob.delete(path_to(record))
    assert answer.json()["data"] == {"id": str(record.pk)}
    for answer in (
        as_bob.get(path_to(record)),
        as_bob.patch_json(path_to(record), {"lastName": "x"}),
        as_bob.put_json(path_to(record), body_of(model)),
        as_bob.delete(path_to(record)),
    ):
        assert code_of(answer) == (404, "NOT_FOUND")
    assert as_bob.get(list_path(model)).json()["data"] == []
    deleted = as_bob.get(f"{list_path(model)}?deleted=true").json()["data"]
    assert [row["id"] for row in deleted] == [str(record.pk)]


@every_model
def test_restored_record_is_what_it_was(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    record = make_record(model, bob)
    before = as_bob.get(path_to(record)).json()["data"]
    as_bob.delete(path_to(record))
    restored = as_bob.post_json(f"{path_to(record)}/restore")
    assert restored.status_code == 200
    assert as_bob.get(path_to(record)).json()["data"] == restored.json()["data"]
    assert {**restored.json()["data"], "updatedAt": before["updatedAt"]} == before


@every_model
def test_restoring_what_is_not_deleted_is_fine(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    record = make_record(model, bob)
    assert as_bob.post_json(f"{path_to(record)}/restore").status_code == 200


@every_model
@pytest.mark.parametrize("deleted_first", [False, True])
def test_admin_deletes_for_good(
    model: type[TeamModel], bob: Membership, as_alice: ApiClient, deleted_first: bool
) -> None:
    record = make_record(model, bob)
    if deleted_first:
        as_alice.delete(path_to(record))
    answer = as_alice.delete(f"{path_to(record)}?permanent=true")
    assert answer.json()["data"] == {"id": str(record.pk)}
    assert code_of(as_alice.post_json(f"{path_to(record)}/restore")) == (404, "NOT_FOUND")
    assert stored_rows(model._meta.db_table) == {}


@every_model
def test_agent_does_not_delete_for_good(
    model: type[TeamModel], bob: Membership, as_bob: ApiClient
) -> None:
    record = make_record(model, bob)
    answer = as_bob.delete(f"{path_to(record)}?permanent=true")
    assert code_of(answer) == (403, "PERMISSION_DENIED")
    assert as_bob.get(path_to(record)).status_code == 200


@every_model
@pytest.mark.parametrize("flag", ["yes", "1", "", "TRUE", "true&permanent=true"])
def test_unclear_wish_deletes_nothing(
    model: type[TeamModel], bob: Membership, as_alice: ApiClient, flag: str
) -> None:
    record = make_record(model, bob)
    answer = as_alice.delete(f"{path_to(record)}?permanent={flag}")
    assert code_of(answer) == (400, "VALIDATION_ERROR")
    assert as_alice.get(path_to(record)).status_code == 200


@every_model
def test_data_entry_neither_deletes_nor_restores(
    model: type[TeamModel], bob: Membership, as_dora: ApiClient
) -> None:
    record = make_record(model, bob)
    assert code_of(as_dora.delete(path_to(record))) == (403, "PERMISSION_DENIED")
    answer = as_dora.post_json(f"{path_to(record)}/restore")
    assert code_of(answer) == (403, "PERMISSION_DENIED")


@every_model
@pytest.mark.parametrize("pk", ["93937520-2e0c-4987-9a64-985875bbadbb", "1", "x", "%00", "..%2f"])
def test_absent_record_is_not_found(model: type[TeamModel], as_alice: ApiClient, pk: str) -> None:
    path = f"{list_path(model)}/{pk}"
    for answer in (
        as_alice.get(path),
        as_alice.patch_json(path, {}),
        as_alice.delete(path),
        as_alice.post_json(f"{path}/restore"),
    ):
        assert code_of(answer) == (404, "NOT_FOUND")


@every_model
def test_restore_takes_no_body(model: type[TeamModel], bob: Membership, as_bob: ApiClient) -> None:
    path = f"{path_to(make_record(model, bob))}/restore"
    assert code_of(as_bob.post_json(path, {"deletedAt": None})) == (400, "VALIDATION_ERROR")
    answer = as_bob.post(path, "{", content_type="application/json")
    assert code_of(answer) == (400, "VALIDATION_ERROR")


@every_model
def test_record_is_assigned_to_members_of_the_team_only(
    model: type[TeamModel], bob: Membership, mallory: Membership, as_bob: ApiClient
) -> None:
    record = make_record(model, bob)
    for user_id in (mallory.user_id, uuid.uuid4()):
        for answer in (
            as_bob.post_json(list_path(model), {**body_of(model), "assignedTo": str(user_id)}),
            as_bob.patch_json(path_to(record), {"assignedTo": str(user_id)}),
        ):
            assert code_of(answer) == (400, "VALIDATION_ERROR")
            assert answer.json()["error"]["details"].keys() == {"assignedTo"}
    answer = as_bob.patch_json(path_to(record), {"assignedTo": None})
    assert answer.json()["data"]["assignedTo"] is None
    answer = as_bob.patch_json(path_to(record), {"assignedTo": str(bob.user_id)})
    assert answer.json()["data"]["assignedTo"] == str(bob.user_id)


@every_model
@pytest.mark.parametrize("value", ["bob", 1, ["x"], "", True])
def test_malformed_assignee_is_refused(
    model: type[TeamModel], as_bob: ApiClient, value: object
) -> None:
    answer = as_bob.post_json(list_path(model), {**body_of(model), "assignedTo": value})
    assert answer.json()["error"]["details"].keys() == {"assignedTo"}


@every_model
def test_record_outlives_the_membership_of_its_assignee(
    model: type[TeamModel], bob: Membership, as_alice: ApiClient
) -> None:
    record = make_record(model, bob)
    bob.delete()
    assert as_alice.get(path_to(record)).json()["data"]["assignedTo"] is None


@every_model
@pytest.mark.parametrize(
    "body", ["", "[]", '"x"', "null", "{", '{"firstName": "a\\u0000b"}', '{"firstName": "\\ud800"}']
)
def test_body_that_is_no_clean_object_is_refused(
    model: type[TeamModel], as_bob: ApiClient, body: str
) -> None:
    answer = as_bob.post(list_path(model), body, content_type="application/json")
    assert code_of(answer) == (400, "VALIDATION_ERROR")
    assert stored_rows(model._meta.db_table) == {}


@every_person
def test_every_text_is_kept_as_it_came(model: type[TeamModel], as_bob: ApiClient) -> None:
    texts = ["O'Brien", "Ekstr\u00f6m", "\u6771\u4eac", "'; DROP TABLE x; --", "<b>&amp;", "%_\\"]
    for text in texts:
        body = {**body_of(model), "firstName": text}
        assert as_bob.post_json(list_path(model), body).json()["data"]["firstName"] == text
