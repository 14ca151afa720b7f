"""Invitations in plain SQL, and under parallel calls: one token shows one row, and works once."""

from collections import Counter

import pytest
from django.db import ProgrammingError

from accounts.models import Invitation, Membership, Team
from accounts.tests.factories import access_token, make_invitation, make_member
from conftest import ApiClient
from crm.db.tenancy import context, team_context
from security.access.roles import Role
from tests.plain_sql import execute, fetch_all
from tests.threads import at_once

SIXTEEN = 16
TABLE = "accounts_invitation"


def seen() -> list[str]:
    return [email for (email,) in fetch_all(f"SELECT email FROM {TABLE} ORDER BY email")]  # noqa: S608 (a constant)


@pytest.fixture
def invitations(alice: Membership, mallory: Membership) -> list[Invitation]:
    pairs = [(alice, "a@example.com"), (alice, "b@example.com"), (mallory, "m@example.com")]
    return [make_invitation(member, email)[0] for member, email in pairs]


def test_without_a_team_or_a_token_there_is_no_row(invitations: list[Invitation]) -> None:
    assert seen() == []
    for value in ("", "0" * 64, "%", str(invitations[0].pk)):
        with context(invitation_token_hash=value):
            assert seen() == []


def test_a_team_sees_its_own(invitations: list[Invitation], alice: Membership) -> None:
    with team_context(alice.team_id):
        assert seen() == ["a@example.com", "b@example.com"]


def test_who_holds_a_token_sees_that_row_and_changes_nothing(
    invitations: list[Invitation],
) -> None:
    with context(invitation_token_hash=str(invitations[1].token_hash)):
        assert seen() == ["b@example.com"]
        assert execute(f"UPDATE {TABLE} SET revoked_at = now()") == 0  # noqa: S608 (a constant)
        assert execute(f"DELETE FROM {TABLE}") == 0  # noqa: S608 (a constant)
        assert fetch_all("SELECT 1 FROM clients_client") == []
    assert seen() == []


def test_an_invitation_without_a_token_is_shown_to_nobody(
    invitations: list[Invitation], alice: Membership
) -> None:
    make_invitation(alice, "c@example.com", token_hash=None)
    with context(invitation_token_hash=""):
        assert seen() == []


def test_no_row_is_written_for_another_team(alice: Membership, mallory: Membership) -> None:
    with team_context(alice.team_id), pytest.raises(ProgrammingError, match="row-level security"):
        Invitation.objects.create(
            team=mallory.team, email="x@example.com", role="admin", expires_at="2099-01-01T00:00Z"
        )


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_acceptances_at_once_one_joins(alice: Membership, mallory: Membership) -> None:
    _, token = make_invitation(alice, "mallory@example.com")
    authorization = f"Bearer {access_token(mallory)}"

    def accept(_: int) -> int:
        client = ApiClient(authorization)
        return int(client.post_json("/v1/auth/accept-invitation", {"token": token}).status_code)

    assert Counter(at_once(SIXTEEN, accept)) == {200: 1, 400: SIXTEEN - 1}
    assert Membership.objects.filter(team=alice.team).count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_invitations_at_once_one_is_pending(team_a: Team) -> None:
    admins = [make_member(team_a, f"a{n}@example.com", Role.ADMIN) for n in range(4)]
    clients = [f"Bearer {access_token(admin)}" for admin in admins]

    def invite(number: int) -> int:
        body = {"email": "new@example.com", "role": "agent"}
        client = ApiClient(clients[number % 4])
        return int(client.post_json("/v1/team/invitations", body).status_code)

    assert at_once(SIXTEEN, invite) == [201] * SIXTEEN
    with team_context(team_a.pk):
        assert Invitation.objects.count() == SIXTEEN
        assert Invitation.objects.pending().count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_acceptance_beside_a_revocation_leaves_no_half(
    alice: Membership, mallory: Membership
) -> None:
    invitation, token = make_invitation(alice, "mallory@example.com")
    as_alice, as_mallory = (f"Bearer {access_token(member)}" for member in (alice, mallory))

    def act(number: int) -> int:
        if number % 2:
            path = f"/v1/team/invitations/{invitation.pk}"
            return int(ApiClient(as_alice).delete(path).status_code)
        body = {"token": token}
        answer = ApiClient(as_mallory).post_json("/v1/auth/accept-invitation", body)
        return int(answer.status_code)

    at_once(8, act)
    with team_context(alice.team_id):
        stored = Invitation.objects.get()
    joined = Membership.objects.filter(team=alice.team, user=mallory.user).exists()
    assert joined is (stored.accepted_at is not None)
    assert (stored.accepted_at is None) is (stored.revoked_at is not None)
