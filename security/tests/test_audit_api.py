"""The audit trail over HTTP: its list, its filters, its export, a record's history."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client as HttpClient

from accounts.models import Membership
from clients.models import Client
from conftest import ApiClient
from crm.db.tenancy import team_context
from leads.models import Lead
from security.api_keys.services import IssuedKey
from security.audit.models import AuditEntry
from staff.tests.admin_calls import page, text_of
from tests.team_records import make_record

LOGS = "/v1/audit-logs"
EXPORT = f"{LOGS}/export"
FIELDS = {
    "id",
    "action",
    "resourceType",
    "resourceId",
    "actor",
    "oldValues",
    "newValues",
    "ipAddress",
    "requestId",
    "createdAt",
}


def rows(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


@pytest.fixture
def record_id(as_alice: ApiClient, bob: Membership) -> str:
    """A client that alice made, handed to bob and deleted."""
    made = as_alice.post_json("/v1/clients", {"firstName": "Ada", "email": "ada@client.example"})
    path = f"/v1/clients/{made.json()['data']['id']}"
    as_alice.patch_json(path, {"assignedTo": str(bob.user_id)})
    as_alice.delete(path)
    return path.rpartition("/")[2]


def test_an_entry_has_the_promised_shape(
    as_alice: ApiClient, alice: Membership, bob: Membership, record_id: str
) -> None:
    entry = rows(as_alice.get(LOGS, {"resourceId": record_id, "action": "update"}))[0]
    assert entry.keys() == FIELDS
    assert entry["actor"] == {
        "kind": "user",
        "id": str(alice.user_id),
        "label": "alice@example.com",
    }
    assert entry["oldValues"] == {"assignedTo": None}
    assert entry["newValues"] == {"assignedTo": str(bob.user_id)}
    assert (entry["resourceType"], entry["resourceId"]) == ("clients", record_id)
    assert entry["ipAddress"] == "127.0.0.1"
    assert entry["requestId"]


def test_an_entry_outside_a_request_has_no_address(as_alice: ApiClient, alice: Membership) -> None:
    record = make_record(Lead, alice)
    entry = rows(as_alice.get(LOGS, {"resourceId": str(record.pk)}))[0]
    assert (entry["ipAddress"], entry["requestId"], entry["actor"]["id"]) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("resourceType", "clients"),
        ("action", "delete"),
        ("actorKind", "user"),
        ("createdAfter", "2000-01-01T00:00:00Z"),
        ("createdBefore", "2100-01-01T00:00:00Z"),
    ],
)
def test_a_filter_keeps_what_it_names(
    as_alice: ApiClient, record_id: str, name: str, value: str
) -> None:
    found = rows(as_alice.get(LOGS, {name: value}))
    assert record_id in {entry["resourceId"] for entry in found}
    if name in found[0]:
        assert {entry[name] for entry in found} == {value}


def test_actors_are_told_apart(
    as_alice: ApiClient, as_key: ApiClient, key: IssuedKey, record_id: str
) -> None:
    as_key.post_json("/v1/clients", {"firstName": "By key"})
    by_key = rows(as_alice.get(LOGS, {"actorId": str(key.api_key.pk)}))
    assert [entry["newValues"]["firstName"] for entry in by_key] == ["By key"]
    assert rows(as_alice.get(LOGS, {"actorKind": "staff"})) == []


@pytest.mark.parametrize(
    "query",
    [
        {"action": "nothing"},
        {"actorKind": "nobody"},
        {"resourceId": "1"},
        {"actorId": "x"},
        {"createdAfter": "yesterday"},
        {"team": "x"},
        {"q": "x"},
        {"ordering": "action"},
    ],
)
def test_what_is_no_filter_is_refused(as_alice: ApiClient, query: dict[str, str]) -> None:
    for path in (LOGS, EXPORT):
        assert as_alice.get(path, query).status_code == 400


def test_pages_show_every_entry_once(as_alice: ApiClient, record_id: str) -> None:
    everything = [entry["id"] for entry in rows(as_alice.get(LOGS, {"limit": "200"}))]
    met: list[str] = []
    query = {"limit": "2"}
    while True:
        answer = as_alice.get(LOGS, query)
        met += [entry["id"] for entry in rows(answer)]
        cursor = answer.json()["pagination"]["nextCursor"]
        if cursor is None:
            break
        query["cursor"] = cursor
    assert met == everything
    assert len(set(met)) == len(met) > 4


def test_mallory_sees_nothing_of_alices_team(as_mallory: ApiClient, record_id: str) -> None:
    assert rows(as_mallory.get(LOGS, {"resourceId": record_id})) == []
    assert record_id not in text(as_mallory.get(EXPORT))
    assert as_mallory.get(f"/v1/clients/{record_id}/history").status_code == 404


# History.


def test_the_history_of_a_deleted_record_is_told(as_bob: ApiClient, record_id: str) -> None:
    found = rows(as_bob.get(f"/v1/clients/{record_id}/history"))
    assert [entry["action"] for entry in found] == ["delete", "update", "create"]
    oldest = rows(as_bob.get(f"/v1/clients/{record_id}/history?ordering=createdAt&limit=1"))
    assert [entry["action"] for entry in oldest] == ["create"]
    updates = rows(as_bob.get(f"/v1/clients/{record_id}/history?action=update"))
    assert [entry["action"] for entry in updates] == ["update"]


def test_a_record_that_is_gone_for_good_has_no_history(as_alice: ApiClient, record_id: str) -> None:
    as_alice.delete(f"/v1/clients/{record_id}?permanent=true")
    assert as_alice.get(f"/v1/clients/{record_id}/history").status_code == 404
    found = rows(as_alice.get(LOGS, {"resourceId": record_id}))
    assert found[0]["action"] == "purge"


def test_the_history_of_another_resource_is_not_told(
    as_alice: ApiClient, alice: Membership, record_id: str
) -> None:
    assert as_alice.get(f"/v1/leads/{record_id}/history").status_code == 404


def test_an_unknown_parameter_of_a_history_is_refused(as_bob: ApiClient, record_id: str) -> None:
    assert as_bob.get(f"/v1/clients/{record_id}/history?actorKind=user").status_code == 400


# Export.


def test_csv_has_every_entry_under_our_own_name(as_alice: ApiClient, record_id: str) -> None:
    answer = as_alice.get(EXPORT)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-log-2')
    assert answer["Cache-Control"] == "no-store"
    found = list(csv.DictReader(io.StringIO(text(answer))))
    listed = rows(as_alice.get(LOGS, {"limit": "200"}))
    assert [row["id"] for row in found] == [entry["id"] for entry in listed]
    update = next(row for row in found if row["action"] == "update")
    assert list(json.loads(update["newValues"])) == ["assignedTo"]


def test_json_lines_are_the_entries_of_the_list(as_alice: ApiClient, record_id: str) -> None:
    answer = as_alice.get(EXPORT, {"format": "jsonl", "resourceId": record_id})
    assert answer["Content-Type"] == "application/x-ndjson"
    found = [json.loads(line) for line in text(answer).splitlines()]
    assert found == rows(as_alice.get(LOGS, {"resourceId": record_id}))


@pytest.mark.parametrize("query", [{"format": "xlsx"}, {"limit": "1"}, {"cursor": "x"}])
def test_an_export_takes_filters_and_a_format_only(
    as_alice: ApiClient, query: dict[str, str]
) -> None:
    assert as_alice.get(EXPORT, query).status_code == 400


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_neutralised(as_alice: ApiClient, alice: Membership, start: str) -> None:
    with team_context(alice.team_id, actor_kind="job", actor_label=start):
        Client.objects.create(team_id=alice.team_id, first_name=start)
    newest = next(iter(csv.DictReader(io.StringIO(text(as_alice.get(EXPORT)), newline=""))))
    assert newest["actorLabel"] == f"'{start}"
    assert newest["newValues"].startswith("{")


def test_an_export_goes_beyond_one_chunk(
    as_alice: ApiClient, alice: Membership, monkeypatch: pytest.MonkeyPatch, record_id: str
) -> None:
    everything = text(as_alice.get(EXPORT, {"format": "jsonl"}))
    monkeypatch.setattr("security.audit.export.CHUNK_SIZE", 2)
    assert text(as_alice.get(EXPORT, {"format": "jsonl"})) == everything


# The staff admin.


def test_staff_look_across_teams_and_change_nothing(
    as_staff: HttpClient, record_id: str, mallory: Membership
) -> None:
    other = make_record(Client, mallory)
    answer = as_staff.get(page("security_auditentry_changelist"))
    assert record_id in text_of(answer)
    assert str(other.pk) in text_of(answer)
    assert mallory.team.name in text_of(answer)
    found = as_staff.get(page("security_auditentry_changelist"), {"q": record_id})
    assert str(other.pk) not in text_of(found)
    entry = answer.context["cl"].result_list[0]
    change = page("security_auditentry_change", entry.pk)
    assert "firstName" in text_of(as_staff.get(change))
    assert as_staff.post(change, {"action": "update"}).status_code == 403
    assert as_staff.get(page("security_auditentry_add")).status_code == 403
    assert as_staff.post(page("security_auditentry_delete", entry.pk)).status_code == 403


@pytest.mark.parametrize(
    "query", ["q=x", "q=%27", "action=update", "kind=user", "team_id=x", "p=3", "e=1"]
)
def test_a_filter_of_the_admin_breaks_nothing(
    as_staff: HttpClient, record_id: str, query: str
) -> None:
    assert as_staff.get(f"{page('security_auditentry_changelist')}?{query}").status_code in {
        200,
        302,
    }


def test_entries_say_what_they_are(alice: Membership) -> None:
    record = make_record(Client, alice)
    with team_context(alice.team_id):
        entry = AuditEntry.objects.get(resource_id=record.pk)
    assert str(entry) == f"create clients {record.pk}"
