"""Checkpoints, retention and erasure: what may leave the trail leaves it provable."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Membership
from clients.models import Client
from crm.db.owner import as_owner
from crm.db.tenancy import context, team_context
from security.audit import retention
from security.audit.models import AuditEntry
from security.audit.retention import erase_values, prune
from security.tests.audit_chains import (
    ENTRY,
    HEAD,
    LINK,
    at,
    make_chain,
    must,
    of_team,
    run,
    tamper,
)
from tests.team_records import make_record

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sealed(alice: Membership, mallory: Membership) -> Membership:
    """Alice's team with a sealed chain of eight entries; another team's stands beside it."""
    make_chain(mallory)
    make_chain(alice)
    return alice


def test_a_chain_rolled_back_with_its_head_is_found_by_the_checkpoint(
    alice: Membership, tmp_path: Path
) -> None:
    make_chain(alice)
    backup = "CREATE TABLE old_head AS SELECT * FROM security_audithead"
    tamper("SET app.all_teams = 'on'", backup)
    for _ in range(3):
        make_record(Client, alice)
    run("seal_audit")
    checkpoint = tmp_path / "checkpoint.json"
    checkpoint.write_text(run("export_checkpoint").text)
    must(run("verify_audit", "--from-checkpoint", checkpoint))
    tamper(
        f"DELETE FROM {ENTRY} WHERE id IN (SELECT entry_id FROM {LINK} WHERE position > 8)",
        f"DELETE FROM {LINK} WHERE position > 8",
        f"DELETE FROM {HEAD}",
        f"INSERT INTO {HEAD} SELECT * FROM old_head",
        "DROP TABLE old_head",
    )
    must(run("verify_audit"))
    found = run("verify_audit", "--from-checkpoint", checkpoint)
    assert "position 11: is not, or not as, in the checkpoint" in found.text


def test_a_chain_that_is_gone_is_found_by_the_checkpoint(
    sealed: Membership, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint.json"
    checkpoint.write_text(run("export_checkpoint").text)
    tamper(*(of_team(f"DELETE FROM {table} WHERE true")(sealed) for table in (LINK, HEAD, ENTRY)))
    must(run("verify_audit"))
    assert str(sealed.team_id) in run("verify_audit", "--from-checkpoint", checkpoint).text


@pytest.mark.parametrize("change", ["heads", "signature", "madeAt", "keyId", "nothing"])
def test_a_checkpoint_that_was_changed_is_refused(
    sealed: Membership, tmp_path: Path, change: str
) -> None:
    content = json.loads(run("export_checkpoint").text)
    if change == "heads":
        content["heads"][0][1] -= 1
    elif change == "nothing":
        content = [content]
    else:
        content[change] = "00"
    path = tmp_path / "checkpoint.json"
    path.write_text(json.dumps(content))
    found = run("verify_audit", "--from-checkpoint", path)
    assert not found.is_ok
    assert "checkpoint" in found.text


def test_pruning_keeps_the_chain_provable(sealed: Membership, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.json"
    checkpoint.write_text(run("export_checkpoint").text)
    (moment,) = tamper(f"SELECT created_at FROM {ENTRY} WHERE id = {at(5, sealed)}")[0]
    taken = prune(before=moment)
    assert taken == 4 + 8  # The other team's chain is older as a whole.
    run("seal_audit")
    must(run("verify_audit", "--unsealed-after", "0s"))
    must(run("verify_audit", "--from-checkpoint", checkpoint))
    assert prune(before=moment) == 0
    with team_context(sealed.team_id):
        entry = AuditEntry.objects.get(action="prune")
    assert entry.new_values == {"from": 1, "to": 4}
    tamper(f"DELETE FROM {ENTRY} WHERE id = {at(6, sealed)}")
    assert "position 6," in run("verify_audit").text


def test_pruning_in_batches_takes_the_same(
    sealed: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    (moment,) = tamper(f"SELECT created_at FROM {ENTRY} WHERE id = {at(6, sealed)}")[0]
    monkeypatch.setattr(retention, "BATCH_SIZE", 2)
    assert prune(before=moment) == 5 + 8
    run("seal_audit")
    must(run("verify_audit", "--unsealed-after", "0s"))
    with team_context(sealed.team_id):
        ends = AuditEntry.objects.filter(action="prune").order_by("number")
        assert [entry.new_values["to"] for entry in ends] == [2, 4, 5]


def test_pruning_reads_what_it_removes_and_one_more(alice: Membership) -> None:
    fill(alice, count=3_000)
    for count in (0, 40):
        old = {"team_id": alice.team_id, "pruned": 0, "before": day(count), "most": 3_000}
        assert rows_read(retention.FIRST_TO_STAY, old) <= 3 * count + 3
    gone = {"team_id": alice.team_id, "pruned": 0, "last": 40}
    assert rows_read(retention.DELETE, gone) <= 3 * 40


def day(number: int) -> datetime:
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number)


def fill(member: Membership, *, count: int) -> None:
    """Seal one entry a day."""
    tamper(
        f"INSERT INTO {ENTRY} (id, team_id, action, resource_type, resource_id, actor_kind,"
        " actor_id, actor_label, request_id, ip_address, created_at, transaction_id)"
        f" SELECT gen_random_uuid(), '{member.team_id}', 'update', 'clients', gen_random_uuid(),"
        " 'user', '', '', '', '', '2020-01-01'::date + n * interval '1 day',"
        f" pg_current_xact_id()::text::bigint FROM generate_series(1, {count}) AS n"
    )
    must(run("seal_audit"))
    tamper(f"ANALYZE {ENTRY}, {LINK}")


def rows_read(statement: str, parameters: dict[str, Any]) -> int:
    """Return how many rows of tables the statement reads; nothing of it stays."""
    with as_owner(), context(all_teams="on", audit_door="prune"), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters)
        plan = cursor.fetchone()[0][0]["Plan"]
        transaction.set_rollback(True)
    return sum(node_rows(node) for node in nodes_of(plan) if "Relation Name" in node)


def node_rows(node: dict[str, Any]) -> int:
    read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return int(read * node["Actual Loops"])


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)


def test_pruning_by_age_leaves_what_is_young(sealed: Membership) -> None:
    assert "Entries deleted: 0" in run("prune_audit").text
    assert prune(before=timezone.now() + timedelta(days=1)) == 16


def test_what_is_not_sealed_is_not_pruned(alice: Membership) -> None:
    make_record(Client, alice)
    assert prune(before=timezone.now() + timedelta(days=1)) == 0


def test_erased_values_are_gone_and_the_chain_stands(sealed: Membership) -> None:
    record = make_record(Client, sealed, email="ada@secret.example")
    run("seal_audit")
    erased = erase_values(team_id=sealed.team_id, resource_type="clients", resource_id=record.pk)
    assert erased == 1
    run("seal_audit")
    must(run("verify_audit", "--unsealed-after", "0s"))
    left = tamper(f"SELECT e::text FROM {ENTRY} e WHERE resource_id = '{record.pk}'")
    assert len(left) == 2
    assert "secret.example" not in str(left)
    tamper(f"DELETE FROM {ENTRY} WHERE action = 'erase'")
    assert "no erasure says why" in run("verify_audit").text
