"""Pages of the admin that give access ask who it is when that was proved long ago."""

import time
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from accounts.models import Membership, User
from accounts.tests.factories import PASSWORD, make_user
from security.access.roles import Role
from security.api_keys.services import IssuedKey
from security.models import ApiKey
from staff.tests.admin_calls import initial_of, page, run_action, text_of

CONFIRM = page("confirm_identity")
LATER = 301  # Seconds; a proof is good for five minutes.


@pytest.fixture
def staff(db: None) -> User:
    return make_user("staff@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def tired(as_staff: Client) -> Iterator[Client]:
    """A browser in which staff proved more than five minutes ago who they are."""
    with time_machine.travel(time.time() + LATER):
        yield as_staff


def leads_to_proof(answer: object) -> bool:
    return getattr(answer, "status_code", 0) == 302 and getattr(answer, "url", "").startswith(
        CONFIRM
    )


def test_a_role_is_changed_after_a_proof_and_not_before(tired: Client, bob: Membership) -> None:
    address = page("accounts_membership_change", bob.pk)
    form = {**initial_of(tired.get(address)), "role": "manager"}
    asked = tired.post(address, form)
    assert leads_to_proof(asked)
    assert Membership.objects.get(pk=bob.pk).role == Role.AGENT
    assert "Nothing was saved" in text_of(tired.get(asked["Location"]))
    tired.post(asked["Location"], {"password": PASSWORD})
    tired.post(address, form)
    assert Membership.objects.get(pk=bob.pk).role == Role.MANAGER


def test_keys_are_issued_and_rotated_after_a_proof(tired: Client, key: IssuedKey) -> None:
    for address in (
        page("security_apikey_add"),
        page("security_apikey_rotate", key.api_key.pk),
    ):
        assert leads_to_proof(tired.get(address))
        assert leads_to_proof(tired.post(address, {}))
    assert ApiKey.objects.count() == 1


def test_passwords_rights_and_factors_are_changed_after_a_proof(
    tired: Client, alice: Membership
) -> None:
    user: User = alice.user
    for address in (
        page("accounts_user_change", user.pk),
        page("auth_user_password_change", user.pk),
        page("accounts_user_add"),
        page("accounts_team_change", alice.team_id),
        page("accounts_membership_delete", alice.pk),
    ):
        assert leads_to_proof(tired.post(address, {})), address
        assert tired.get(address).status_code == 200, address
    assert leads_to_proof(run_action(tired, "accounts_user", "reset_second_factor", user))
    assert leads_to_proof(
        run_action(tired, "accounts_team", "delete_selected", alice.team, post="yes")
    )


def test_ending_what_is_under_attack_asks_for_nothing(tired: Client, key: IssuedKey) -> None:
    tired.post(page("security_apikey_revoke", key.api_key.pk))
    assert ApiKey.objects.get().revoked_at is not None
    owner = User.objects.get(pk=key.api_key.owner_id)
    run_action(tired, "accounts_user", "deactivate", owner)
    assert not User.objects.get(pk=owner.pk).is_active
