"""What is sealed is proved: every change of it is found and its place named."""

import hmac
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from accounts.models import Membership
from clients.models import Client
from crm.api import json
from crm.db.owner import as_owner
from crm.db.tenancy import set_context, team_context
from security.access.all_teams import all_teams
from security.audit import chain
from security.audit.models import AuditEntry, AuditLink
from security.tests.audit_chains import (
    ENTRY,
    HEAD,
    LINK,
    Attack,
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


def set_at(position: int, change: str) -> Attack:
    return lambda member: f"UPDATE {ENTRY} SET {change} WHERE id = {at(position, member)}"


def swap(column: str) -> Attack:
    """Exchange a column of the entries at positions 4 and 5."""
    return lambda member: (
        f"UPDATE {ENTRY} e SET {column} = o.{column} FROM {ENTRY} o"
        f" WHERE (e.id = {at(4, member)} AND o.id = {at(5, member)})"
        f" OR (e.id = {at(5, member)} AND o.id = {at(4, member)})"
    )


ATTACKS: dict[str, tuple[Attack, str]] = {
    "a new value": (set_at(5, """new_values = '{"first_name": "Forged"}'"""), "position 5,"),
    "an old value": (set_at(5, """old_values = '{"first_name": "Forged"}'"""), "position 5,"),
    "another actor": (set_at(5, "actor_id = 'x'"), "position 5,"),
    "another actor's name": (set_at(5, "actor_label = 'bob@example.com'"), "position 5,"),
    "another time": (set_at(5, "created_at = created_at - interval '1 day'"), "position 5,"),
    "another action": (set_at(5, "action = 'update'"), "position 5,"),
    "another record": (set_at(5, "resource_id = team_id"), "position 5,"),
    "another address": (set_at(5, "ip_address = '192.0.2.1'"), "position 5,"),
    "another order": (set_at(5, "transaction_id = 1"), "position 5,"),
    "swapped values": (swap("new_values"), "position 4,"),
    "swapped records": (swap("resource_id"), "position 4,"),
    "values taken": (set_at(5, "new_values = NULL"), "position 5,"),
    "an entry deleted": (
        lambda member: f"DELETE FROM {ENTRY} WHERE id = {at(5, member)}",
        "position 5,",
    ),
    "an entry and its link deleted": (
        of_team(
            f"WITH gone AS (DELETE FROM {LINK} WHERE position = 5 RETURNING entry_id)"
            f" DELETE FROM {ENTRY} WHERE id IN (SELECT entry_id FROM gone)"
        ),
        "positions 5 to 5: links are missing",
    ),
    "the tail cut": (
        of_team(
            f"WITH gone AS (DELETE FROM {LINK} WHERE position > 6 RETURNING entry_id)"
            f" DELETE FROM {ENTRY} WHERE id IN (SELECT entry_id FROM gone)"
        ),
        "positions 7 to 8: the tail was cut off",
    ),
    "the entries of the tail deleted": (
        lambda member: f"DELETE FROM {ENTRY} WHERE id = {at(8, member)}",
        "position 8,",
    ),
    "the links of the tail deleted": (
        of_team(f"DELETE FROM {LINK} WHERE position > 6"),
        "positions 7 to 8: the tail was cut off",
    ),
    "the head moved back": (
        of_team(f"UPDATE {HEAD} SET position = 6 WHERE true"),
        "the head of the chain is not signed",
    ),
    "the head deleted": (
        of_team(f"DELETE FROM {HEAD} WHERE true"),
        "position 8: the chain has links and no signed head",
    ),
    "a link's hash": (
        of_team(f"UPDATE {LINK} SET hash = sha256('x') WHERE position = 5"),
        "position 5,",
    ),
    "a link's salt": (of_team(f"UPDATE {LINK} SET salt = NULL WHERE position = 5"), "position 5,"),
    "a link renamed": (
        of_team(f"UPDATE {LINK} SET key_id = 'none' WHERE position = 5"),
        "position 5, entry",
    ),
    "the beginning pretended to be pruned": (
        of_team(
            f"UPDATE {HEAD} SET pruned_position = 4, pruned_hash ="
            f" (SELECT hash FROM {LINK} l WHERE l.position = 4"
            f" AND l.team_id = {HEAD}.team_id) WHERE true"
        ),
        "the head of the chain is not signed",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_change_is_found_and_named(sealed: Membership, attack: str) -> None:
    assert run("verify_audit").is_ok
    statement, place = ATTACKS[attack]
    tamper(statement(sealed))
    found = run("verify_audit")
    assert not found.is_ok
    assert f"team {sealed.team_id}: {place}" in found.text
    assert not run("verify_audit", "--team", str(sealed.team_id)).is_ok


def test_the_other_teams_chain_stands(sealed: Membership, mallory: Membership) -> None:
    tamper(set_at(5, "action = 'update'")(sealed))
    assert run("verify_audit", "--team", str(mallory.team_id)).is_ok


def test_a_fork_is_refused_and_found(sealed: Membership) -> None:
    fork = (
        f"INSERT INTO {LINK} SELECT gen_random_uuid(), team_id, position, previous, hash,"
        f" digest, salt, key_id FROM {LINK} WHERE team_id = '{sealed.team_id}' AND position = 5"
    )
    with pytest.raises(Exception, match="security_audit_p"):
        tamper(fork)
    drop = "ALTER TABLE security_auditlink DROP CONSTRAINT security_audit_"
    restore = (
        "DELETE FROM security_auditlink WHERE NOT EXISTS"
        " (SELECT FROM security_auditentry e WHERE e.id = entry_id)",
        "ALTER TABLE security_auditlink ADD CONSTRAINT security_audit_position"
        " UNIQUE (team_id, position)",
        "ALTER TABLE security_auditlink ADD CONSTRAINT security_audit_previous"
        " UNIQUE (team_id, previous)",
    )
    tamper(f"{drop}position", f"{drop}previous", fork)
    found = run("verify_audit")
    tamper(*restore)
    assert "the chain has a fork here" in found.text
    assert run("verify_audit").is_ok


def test_an_entry_that_was_never_sealed_is_found(sealed: Membership) -> None:
    record = make_record(Client, sealed)
    assert run("verify_audit").is_ok
    found = run("verify_audit", "--unsealed-after", "0s")
    assert f"(create clients {record.pk}): not sealed since" in found.text
    run("seal_audit")
    assert run("verify_audit", "--unsealed-after", "0s").is_ok


def test_an_entry_put_in_behind_the_head_is_never_sealed_and_found(sealed: Membership) -> None:
    tamper(
        f"INSERT INTO {ENTRY} (id, team_id, action, resource_type, resource_id, actor_kind,"
        " actor_id, actor_label, request_id, ip_address, created_at, transaction_id)"
        " SELECT gen_random_uuid(), team_id, action, resource_type, resource_id, actor_kind,"
        " actor_id, actor_label, request_id, ip_address, created_at - interval '1 day',"
        f" transaction_id - 1 FROM {ENTRY} WHERE id = {at(5, sealed)}"
    )
    assert "Entries sealed: 0" in run("seal_audit").text
    assert "not sealed since" in run("verify_audit").text


def test_nothing_is_added_to_a_forged_chain(sealed: Membership) -> None:
    tamper(of_team(f"UPDATE {HEAD} SET position = 6 WHERE true")(sealed))
    found = run("seal_audit")
    assert not found.is_ok
    assert "not signed by a key of ours" in found.text


def test_a_chain_of_another_key_does_not_prove(
    sealed: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "sign", _sign_with_another_key)
    assert not run("verify_audit").is_ok


def _sign_with_another_key(key_id: str, purpose: str, *parts: Any) -> bytes:
    return hmac.digest(b"another", json.dumps([purpose, *parts]), "sha256")


@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", [ENTRY, LINK])
def test_the_owner_too_is_refused(sealed: Membership, table: str, statement: str) -> None:
    statement = statement.replace("id = id", "team_id = team_id").format(table)
    with as_owner(), connection.cursor() as cursor, pytest.raises(ProgrammingError, match="append"):
        cursor.execute(statement)


# Sealing beside writers.


def test_an_open_transaction_is_left_for_the_next_sealing(
    sealed: Membership,
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with team_context(sealed.team_id):
            Client.objects.create(team_id=sealed.team_id, first_name="Slow")
            begun.set()
            may_end.wait(10)
        connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    begun.wait(10)
    make_record(Client, sealed, first_name="Quick")
    left = run("seal_audit").text
    may_end.set()
    writer.join()
    assert "Entries sealed: 0" in left
    assert "Entries sealed: 2" in run("seal_audit").text
    assert run("verify_audit", "--unsealed-after", "0s").is_ok


def test_eight_writers_beside_two_sealers_break_nothing(
    alice: Membership, mallory: Membership
) -> None:
    until = time.monotonic() + 4
    failures: list[BaseException] = []

    def repeat(act: Callable[[], Any]) -> None:
        try:
            while time.monotonic() < until:
                act()
        except Exception as error:  # noqa: BLE001 (a thread's failure is the test's)
            failures.append(error)
        finally:
            connection.close()

    members = (alice, mallory)
    acts: list[Callable[[], Any]] = [
        lambda member=members[number % 2]: _write_and_roll_back(member)  # type: ignore[misc]
        for number in range(8)
    ]
    acts += [lambda: must(run("seal_audit")), lambda: must(run("seal_audit"))]
    acts += [lambda: must(run("verify_audit"))]
    threads = [threading.Thread(target=repeat, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    must(run("seal_audit"))
    found = run("verify_audit", "--unsealed-after", "0s")
    assert found.is_ok, found.text
    with all_teams(reason="a test counts", actor_id="", actor_label=""):
        assert AuditLink.objects.count() == AuditEntry.objects.count() > 100


def _write_and_roll_back(member: Membership) -> None:
    record = make_record(Client, member)
    with transaction.atomic():
        set_context(team_id=str(member.team_id))
        Client.objects.filter(pk=record.pk).update(first_name="Lost")
        transaction.set_rollback(True)
