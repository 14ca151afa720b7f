"""API keys in the admin: shown once, rotated, revoked, found."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session as StoredSession
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from accounts.sessions.admin_sessions import SessionStore
from conftest import ApiClient
from security.api_keys.format import parse_key
from security.api_keys.services import IssuedKey, issue_key
from security.models import ApiKey
from staff.pages import api_key_forms
from staff.tests.admin_calls import initial_of, page, run_action, text_of

KEY = re.compile(r"crm_[0-9A-Za-z]{12}_[0-9A-Za-z]{40}_[0-9A-Za-z]{6}")
ISSUE = "security_apikey_add"
LIST = "security_apikey"


def form_of(browser: Client, member: Membership, **values: Any) -> dict[str, Any]:
    """Return the form to issue a key, filled in."""
    fields = {
        "team": str(member.team_id),
        "owner": str(member.user_id),
        "name": "Importer",
        "scopes": ["clients:read", "clients:write"],
        "allowed_ips": "",
        "expires_at_0": "",
        "expires_at_1": "",
    }
    return {**initial_of(browser.get(page(ISSUE))), **fields, **values}


def status_with(written: str) -> int:
    """Return the status that a call with the key gets."""
    return int(ApiClient(f"Bearer {written}").get("/v1/clients").status_code)


def listed(browser: Client, query: str) -> set[str]:
    """Return the names of the keys in a filtered list."""
    answer = browser.get(f"{page('security_apikey_changelist')}?{query}")
    assert answer.status_code == 200
    return {key.name for key in answer.context["cl"].result_list}


def test_an_issued_key_works_and_is_shown_once(as_staff: Client, alice: Membership) -> None:
    answer = as_staff.post(page(ISSUE), form_of(as_staff, alice))
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    (written,) = set(KEY.findall(text_of(answer)))
    assert status_with(written) == 200
    key = ApiKey.objects.get()
    assert (key.team_id, key.owner_id, key.name) == (alice.team_id, alice.user_id, "Importer")
    assert key.scopes == {"clients": ["read", "write"]}
    assert timedelta(days=89) < key.expires_at - timezone.now() <= timedelta(days=90)
    for name, *args in (
        ("security_apikey_changelist",),
        ("security_apikey_change", key.pk),
        ("security_apikey_history", key.pk),
        ("index",),
    ):
        assert not KEY.search(text_of(as_staff.get(page(name, *args))))


def test_the_shown_key_is_stored_nowhere(as_staff: Client, alice: Membership) -> None:
    answer = as_staff.post(page(ISSUE), form_of(as_staff, alice))
    (written,) = set(KEY.findall(text_of(answer)))
    parts = parse_key(written)
    assert parts is not None
    stored = [str(row) for row in ApiKey.objects.values()]
    stored += [str(row) for row in LogEntry.objects.values()]
    stored += [str(SessionStore().decode(row.session_data)) for row in StoredSession.objects.all()]
    stored += [str(cookie) for cookie in as_staff.cookies.values()]
    assert stored
    assert not any(parts.secret in text for text in stored)


def test_a_form_that_is_sent_again_issues_nothing(as_staff: Client, alice: Membership) -> None:
    form = form_of(as_staff, alice)
    as_staff.post(page(ISSUE), form)
    again = as_staff.post(page(ISSUE), form)
    assert "was sent before" in text_of(again)
    assert not KEY.search(text_of(again))
    assert ApiKey.objects.count() == 1


def test_a_form_that_is_sent_twice_at_once_issues_one_key(
    as_staff: Client, alice: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request asked before the first had committed; the unique id refuses it."""
    form = form_of(as_staff, alice)
    as_staff.post(page(ISSUE), form)
    monkeypatch.setattr(api_key_forms.IssueKeyForm, "clean", lambda self: self.cleaned_data)
    again = as_staff.post(page(ISSUE), form)
    assert again.status_code == 409
    assert "was sent before" in text_of(again)


@pytest.mark.parametrize("new_id", ["", "short", "x" * 13, "élève-élève1"])
def test_a_chosen_id_must_look_like_one(as_staff: Client, alice: Membership, new_id: str) -> None:
    as_staff.post(page(ISSUE), form_of(as_staff, alice, new_id=new_id))
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["api_keys:read"]},
        {"scopes": []},
        {"name": ""},
        {"allowed_ips": "not a network"},
        {"expires_at_0": "2001-01-01", "expires_at_1": "00:00"},
    ],
)
def test_what_the_service_refuses_the_form_refuses(
    as_staff: Client, alice: Membership, wrong: dict[str, Any]
) -> None:
    answer = as_staff.post(page(ISSUE), form_of(as_staff, alice, **wrong))
    assert answer.context["adminform"].form.errors
    assert not ApiKey.objects.exists()


def test_networks_and_end_are_kept(as_staff: Client, alice: Membership) -> None:
    values = {
        "allowed_ips": "203.0.113.0/24\n2001:db8::/32",
        "expires_at_0": "2099-01-01",
        "expires_at_1": "12:00",
    }
    as_staff.post(page(ISSUE), form_of(as_staff, alice, **values))
    key = ApiKey.objects.get()
    assert key.allowed_ips == ["203.0.113.0/24", "2001:db8::/32"]
    assert key.expires_at.year == 2099


def test_the_owner_must_be_an_active_member(
    as_staff: Client, alice: Membership, mallory: Membership, bob: Membership
) -> None:
    bob.is_active = False
    bob.save()
    for outsider in (mallory, bob):
        answer = as_staff.post(page(ISSUE), form_of(as_staff, alice, owner=str(outsider.user_id)))
        assert "no active member" in text_of(answer)
    assert not ApiKey.objects.exists()


def test_a_rotated_key_is_shown_once_and_the_old_one_ends(as_staff: Client, key: IssuedKey) -> None:
    address = page("security_apikey_rotate", key.api_key.pk)
    assert as_staff.get(address).status_code == 200
    answer = as_staff.post(address, {"overlap": "0"})
    (written,) = set(KEY.findall(text_of(answer)))
    assert answer["Cache-Control"] == "no-store"
    assert (status_with(written), status_with(key.written)) == (200, 401)
    again = as_staff.post(address, {"overlap": "0"})
    assert again.status_code == 409
    assert not KEY.search(text_of(again))


def test_the_old_key_works_through_the_overlap(as_staff: Client, key: IssuedKey) -> None:
    as_staff.post(page("security_apikey_rotate", key.api_key.pk), {"overlap": "24"})
    key.api_key.refresh_from_db()
    assert timedelta(hours=23) < key.api_key.expires_at - timezone.now() <= timedelta(hours=24)
    assert status_with(key.written) == 200


def test_an_overlap_is_one_of_those_offered(as_staff: Client, key: IssuedKey) -> None:
    address = page("security_apikey_rotate", key.api_key.pk)
    assert "Select a valid choice" in text_of(as_staff.post(address, {"overlap": "999"}))
    assert ApiKey.objects.count() == 1


def test_a_revoked_key_is_refused_for_good(as_staff: Client, key: IssuedKey) -> None:
    address = page("security_apikey_revoke", key.api_key.pk)
    assert as_staff.get(address).status_code == 200
    assert status_with(key.written) == 200
    assert as_staff.post(address).status_code == 302
    assert status_with(key.written) == 401
    rotation = as_staff.post(page("security_apikey_rotate", key.api_key.pk), {"overlap": "0"})
    assert rotation.status_code == 409


def test_selected_keys_are_revoked(as_staff: Client, key: IssuedKey) -> None:
    run_action(as_staff, LIST, "revoke_selected", key.api_key)
    assert status_with(key.written) == 401
    assert LogEntry.objects.filter(object_id=str(key.api_key.pk)).count() == 1


def test_nothing_else_of_a_key_can_be_changed(as_staff: Client, key: IssuedKey) -> None:
    change = page("security_apikey_change", key.api_key.pk)
    assert as_staff.post(change, {"name": "Mine"}).status_code == 403
    assert as_staff.post(page("security_apikey_delete", key.api_key.pk)).status_code == 403
    assert "delete_selected" not in text_of(as_staff.get(page("security_apikey_changelist")))
    text = text_of(as_staff.get(change))
    assert key.api_key.secret_hash not in text
    assert "epper" not in text


@pytest.mark.parametrize("field", ["secret_hash", "pepper_id", "owner__password"])
def test_secrets_cannot_be_guessed_by_filter(as_staff: Client, key: IssuedKey, field: str) -> None:
    answer = as_staff.get(f"{page('security_apikey_changelist')}?{field}__startswith=a")
    assert answer.status_code == 400


def test_unknown_keys_are_not_found(as_staff: Client, alice: Membership) -> None:
    for action in ("rotate", "revoke"):
        address = page(f"security_apikey_{action}", alice.pk)
        assert as_staff.get(address).status_code == 404
        assert as_staff.post(address, {"overlap": "0"}).status_code == 404


def test_keys_are_found_by_state_use_team_owner_and_text(
    as_staff: Client, alice: Membership, mallory: Membership
) -> None:
    now = timezone.now()

    def make(name: str, member: Membership = alice, **values: Any) -> ApiKey:
        issued = issue_key(team_id=member.team_id, owner_id=member.user_id, name=name, scopes={})
        ApiKey.objects.filter(pk=issued.api_key.pk).update(**values)
        return issued.api_key

    fresh = make("fresh", last_used_at=now)
    make("ending", expires_at=now + timedelta(days=5), last_used_at=now - timedelta(days=20))
    make("expired", expires_at=now - timedelta(days=1), last_used_at=now - timedelta(days=100))
    make("revoked", revoked_at=now)
    make("other", mallory)
    everything = {"fresh", "ending", "expired", "revoked", "other"}
    assert listed(as_staff, "") == everything
    assert listed(as_staff, "state=usable") == {"fresh", "ending", "other"}
    assert listed(as_staff, "state=ending") == {"ending"}
    assert listed(as_staff, "state=expired") == {"expired"}
    assert listed(as_staff, "state=revoked") == {"revoked"}
    assert listed(as_staff, "used=7") == {"fresh"}
    assert listed(as_staff, "used=30") == {"fresh", "ending"}
    assert listed(as_staff, "used=not-90") == {"expired", "revoked", "other"}
    assert listed(as_staff, "used=never") == {"revoked", "other"}
    assert listed(as_staff, f"team__id__exact={mallory.team_id}") == {"other"}
    assert listed(as_staff, f"owner__id__exact={alice.user_id}") == everything - {"other"}
    assert listed(as_staff, "q=endin") == {"ending"}
    assert listed(as_staff, f"q={fresh.key_id}") == {"fresh"}


def test_a_removed_owner_is_named(as_staff: Client, key: IssuedKey, alice: Membership) -> None:
    alice.delete()
    assert "owner is no member" in text_of(as_staff.get(page("security_apikey_changelist")))
