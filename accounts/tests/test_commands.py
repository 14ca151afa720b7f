"""What operators do on a shell: teams, keys, locks and sessions."""

import getpass
import io
import json
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Membership, Session, Team, User
from accounts.tests.calls import code_of, fail_to_sign_in, me, sign_in, token_of
from accounts.tests.conftest import ChangeEnv
from accounts.tests.factories import PASSWORD, open_session
from clients.models import Client
from conftest import ApiClient
from crm.db.tenancy import team_context
from crm.management.commands import seed_demo as seed_demo_command
from leads.models import Lead
from security.api_keys.services import IssuedKey
from security.models import ApiKey


def run(*arguments: str) -> str:
    """Run a command and return what it printed."""
    output = io.StringIO()
    call_command(*arguments, stdout=output, stderr=io.StringIO())
    return output.getvalue()


@pytest.fixture
def password_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_PASSWORD", PASSWORD)


def test_create_team_makes_its_first_admin(
    db: None, password_in_environment: None, as_stranger: ApiClient
) -> None:
    printed = run("create_team", "Quay", "--admin-email", " Ann@Example.com")
    user = sign_in(as_stranger, "ann@example.com").json()["data"]["user"]
    assert (user["team"]["name"], user["role"]) == ("Quay", "admin")
    assert user["team"]["id"] in printed
    assert PASSWORD not in printed


def test_create_team_makes_a_known_person_its_admin(alice: Membership) -> None:
    before = alice.user.password
    run("create_team", "Quay", "--admin-email", "alice@example.com")
    alice.user.refresh_from_db()
    assert alice.user.password == before
    assert Membership.objects.get(team__name="Quay").user == alice.user


@pytest.mark.parametrize(
    ("name", "email", "password"),
    [
        (" ", "ann@example.com", PASSWORD),
        ("x" * 121, "ann@example.com", PASSWORD),
        ("Quay", "no address", PASSWORD),
        ("Quay", "ann@example.com", "short"),
    ],
)
def test_create_team_refuses_with_one_line(
    db: None, monkeypatch: pytest.MonkeyPatch, name: str, email: str, password: str
) -> None:
    monkeypatch.setenv("CRM_PASSWORD", password)
    with pytest.raises(CommandError) as refusal:
        run("create_team", name, "--admin-email", email)
    assert str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not Team.objects.exists()
    assert not User.objects.exists()


class Terminal:
    """Standard input of somebody who types."""

    def isatty(self) -> bool:
        return True


def type_passwords(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    """Have somebody at the terminal type the passwords."""
    answers: Iterator[str] = iter(typed)
    monkeypatch.delenv("CRM_PASSWORD", raising=False)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _: next(answers))


def test_create_team_asks_for_the_password_twice(
    db: None, monkeypatch: pytest.MonkeyPatch, as_stranger: ApiClient
) -> None:
    type_passwords(monkeypatch, PASSWORD, PASSWORD)
    run("create_team", "Quay", "--admin-email", "ann@example.com")
    assert sign_in(as_stranger, "ann@example.com").status_code == 200


def test_create_team_refuses_two_different_passwords(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_passwords(monkeypatch, PASSWORD, PASSWORD + "x")
    with pytest.raises(CommandError, match="differ"):
        run("create_team", "Quay", "--admin-email", "ann@example.com")


def test_create_team_without_a_terminal_names_the_variable(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CRM_PASSWORD", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CommandError, match="CRM_PASSWORD"):
        run("create_team", "Quay", "--admin-email", "ann@example.com")


def issue(team_id: object, *scopes: str, owner: str = "alice@example.com") -> str:
    """Issue a key and return what the command printed on standard output."""
    team = ("--team", str(team_id), "--owner", owner)
    return run("issue_api_key", *team, "--name", "Sync", "--scope", *scopes)


def test_issued_key_works_within_its_scopes(alice: Membership) -> None:
    client = ApiClient(f"Bearer {issue(alice.team_id, 'clients:read', 'clients:write').strip()}")
    assert client.get("/v1/clients").status_code == 200
    assert client.post_json("/v1/clients", {"firstName": "Ann"}).status_code == 201
    assert code_of(client.get("/v1/leads")) == (403, "INSUFFICIENT_SCOPE")


def test_issued_key_stands_alone_on_standard_output(alice: Membership) -> None:
    assert issue(alice.team_id, "all:read").startswith("crm_")
    assert ApiKey.objects.get().scopes == {"all": ["read"]}


@pytest.mark.parametrize("scope", ["clients", "clients:fly", "moon:read", ":", ""])
def test_unknown_scope_issues_no_key(alice: Membership, scope: str) -> None:
    with pytest.raises(CommandError):
        issue(alice.team_id, scope)
    assert not ApiKey.objects.exists()


def test_key_is_owned_by_an_active_member_only(alice: Membership, mallory: Membership) -> None:
    for team_id, owner in [
        (alice.team_id, "mallory@example.com"),
        (alice.team_id, "nobody@example.com"),
        (uuid.uuid4(), "alice@example.com"),
        ("1", "alice@example.com"),
    ]:
        with pytest.raises(CommandError):
            issue(team_id, "clients:read", owner=owner)
    assert not ApiKey.objects.exists()


def test_revoked_key_stops_at_once(key: IssuedKey, as_key: ApiClient) -> None:
    printed = run("revoke_api_key", key.api_key.key_id)
    assert code_of(as_key.get("/v1/clients")) == (401, "INVALID_API_KEY")
    assert key.written not in printed


def test_whole_key_may_be_given_to_revoke_it(key: IssuedKey, as_key: ApiClient) -> None:
    run("revoke_api_key", key.written)
    run("revoke_api_key", key.written)
    assert code_of(as_key.get("/v1/clients")) == (401, "INVALID_API_KEY")


def test_unknown_key_cannot_be_revoked(db: None) -> None:
    with pytest.raises(CommandError):
        run("revoke_api_key", "unknown")


def test_unlocked_account_signs_in_at_once(alice: Membership, as_stranger: ApiClient) -> None:
    fail_to_sign_in(as_stranger, times=6)
    assert "Unlocked" in run("unlock_account", "ALICE@example.com")
    assert sign_in(as_stranger).status_code == 200
    assert "No failures" in run("unlock_account", "alice@example.com")


def test_revoke_sessions_ends_all_of_one_user(alice: Membership, bob: Membership) -> None:
    token = token_of(sign_in(ApiClient()))
    open_session(bob)
    assert "Ended 1 " in run("revoke_sessions", " Alice@example.com")
    assert code_of(me(token)) == (401, "SESSION_REVOKED")
    assert Session.objects.live().get().user_id == bob.user_id


def test_revoke_sessions_of_nobody_fails(db: None) -> None:
    with pytest.raises(CommandError):
        run("revoke_sessions", "nobody@example.com")


def seed() -> Any:
    return json.loads(run("seed_demo", "--json", "--force"))


def count_rows() -> list[int]:
    counts = [Team.objects.count(), User.objects.count(), ApiKey.objects.count()]
    for team in Team.objects.all():
        with team_context(team.pk):
            counts += [Client.objects.count(), Lead.objects.count()]
    return counts


def test_seed_demo_tells_who_may_sign_in(db: None) -> None:
    seeded = seed()
    assert seeded.keys() == {"teams", "superuser"}
    assert [team["name"] for team in seeded["teams"]] == ["Harbor Realty", "Summit Homes"]
    for team in seeded["teams"]:
        assert team.keys() == {"id", "name", "users", "api_keys"}
        assert [user["role"] for user in team["users"]] == [
            "admin",
            "manager",
            "agent",
            "data_entry",
        ]
        assert all(user.keys() == {"email", "password", "role"} for user in team["users"])
        assert all(key.keys() == {"name", "key", "scopes"} for key in team["api_keys"])
    assert seeded["superuser"].keys() == {"email", "password"}


def test_seeded_people_and_keys_work(db: None) -> None:
    team = seed()["teams"][0]
    user = team["users"][2]
    answer = sign_in(ApiClient(), user["email"], user["password"]).json()["data"]
    assert (answer["user"]["team"]["id"], answer["user"]["role"]) == (team["id"], "agent")
    page = ApiClient(f"Bearer {team['api_keys'][0]['key']}").get("/v1/clients?count=true").json()
    assert page["pagination"]["total"] >= 20


def test_seed_demo_twice_changes_nothing(db: None) -> None:
    first, rows = seed(), count_rows()
    assert seed() == first
    assert count_rows() == rows


def test_seed_demo_mends_what_is_missing(db: None) -> None:
    first, rows = seed(), count_rows()
    ApiKey.objects.all()[0].delete()
    Membership.objects.filter(user__email=first["teams"][0]["users"][3]["email"]).delete()
    assert seed() == first
    assert count_rows() == rows


def test_seed_demo_refuses_outside_development(db: None) -> None:
    with pytest.raises(CommandError, match="--force"):
        run("seed_demo")
    assert not Team.objects.exists()


def test_seed_demo_prints_a_table_in_development(db: None, change_env: ChangeEnv) -> None:
    change_env(seed_demo_command, debug=True)
    printed = run("seed_demo")
    assert "Harbor Realty" in printed
    assert "crm_" in printed
