"""Passkeys: adding, listing, renaming and removing them, and signing in with one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.models import Membership, Passkey, PasskeyChallenge, Session, User
from accounts.passkeys import own_passkeys as passkeys
from accounts.tests.authenticator import Authenticator
from accounts.tests.calls import code_of, me, refresh_with, sign_in, token_of
from accounts.tests.factories import open_session
from accounts.tests.factors import App, pending_token
from conftest import ApiClient
from crm.env import env
from security.events.types import EventType
from security.tests.events import stored_events

PASSKEYS, OPTIONS = "/v1/auth/passkeys", "/v1/auth/passkeys/options"
LOGIN_OPTIONS, LOGIN = "/v1/auth/passkeys/login/options", "/v1/auth/passkeys/login/verify"
REFUSED = (400, "VALIDATION_ERROR")
WRONG = (401, "INVALID_CREDENTIALS")
NOT_VALID = (401, "INVALID_TOKEN")


def options_of(client: ApiClient, path: str, **body: object) -> Any:
    return client.post_json(path, body).json()["data"]["options"]


def add(client: ApiClient, passkey: Authenticator, name: str = "Laptop") -> Any:
    """Add a passkey to the account of a signed-in client."""
    credential = passkey.create(options_of(client, OPTIONS))
    return client.post_json(PASSKEYS, {"credential": credential, "name": name})


def log_in(passkey: Authenticator, client: ApiClient | None = None, **body: object) -> Any:
    """Sign in with a passkey alone."""
    client = client or ApiClient()
    credential = passkey.get(options_of(client, LOGIN_OPTIONS))
    return client.post_json(LOGIN, {"credential": credential, **body})


def second_step(passkey: Authenticator, token: str, **body: object) -> Any:
    """Finish a pending sign-in with a passkey."""
    client = ApiClient()
    credential = passkey.get(options_of(client, LOGIN_OPTIONS, mfaToken=token))
    return client.post_json(LOGIN, {"credential": credential, "mfaToken": token, **body})


@pytest.fixture
def passkey(as_alice: ApiClient) -> Authenticator:
    """A passkey of alice's."""
    made = Authenticator()
    assert add(as_alice, made).status_code == 201
    return made


# Adding and keeping.


def test_the_options_name_our_domain_and_no_person(as_alice: ApiClient, alice: Membership) -> None:
    options = options_of(as_alice, OPTIONS)
    assert options["rp"] == {"id": env.webauthn_rp_id, "name": "CRM"}
    assert options["user"]["name"] == "alice@example.com"
    assert "alice" not in options["user"]["id"]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["attestation"] == "none"


def test_the_first_passkey_turns_the_second_factor_on(
    as_alice: ApiClient, alice: Membership, run_jobs: Callable[[], list[str]]
) -> None:
    other = open_session(alice)
    answer = add(as_alice, Authenticator())
    data = answer.json()["data"]
    assert answer.status_code == 201
    assert data["passkey"].keys() == {"id", "name", "createdAt", "lastUsedAt"}
    assert len(data["backupCodes"]) == 10
    assert sign_in(ApiClient()).json()["data"]["methods"] == ["passkey", "backup_code"]
    assert Session.objects.get(pk=other.pk).revoked_at is not None
    assert [e.metadata["method"] for e in stored_events(EventType.MFA_ENABLED)] == ["passkey"]
    run_jobs()
    assert "passkey was added" in mail.outbox[-1].body


def test_a_second_passkey_brings_no_backup_codes(
    as_alice: ApiClient, passkey: Authenticator
) -> None:
    assert options_of(as_alice, OPTIONS)["excludeCredentials"][0]["type"] == "public-key"
    assert add(as_alice, Authenticator(), "Phone").json()["data"].keys() == {"passkey"}
    names = [entry["name"] for entry in as_alice.get(PASSKEYS).json()["data"]]
    assert names == ["Laptop", "Phone"]


@pytest.mark.parametrize("length", [0, 1024, 40_000])
def test_an_id_of_no_sensible_length_is_refused(as_alice: ApiClient, length: int) -> None:
    authenticator = Authenticator()
    authenticator.id = b"x" * length
    assert code_of(add(as_alice, authenticator, "Phone")) == (400, "VALIDATION_ERROR")


def test_options_asked_for_in_advance_add_no_passkey_too_many(
    as_alice: ApiClient, passkey: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = options_of(as_alice, OPTIONS)
    monkeypatch.setattr(passkeys, "MOST_PASSKEYS", 1)
    body = {"credential": Authenticator().create(options), "name": "Phone"}
    assert code_of(as_alice.post_json(PASSKEYS, body)) == (409, "CONFLICT")
    assert Passkey.objects.count() == 1


def test_a_passkey_is_renamed_and_removed_by_its_owner_alone(
    as_alice: ApiClient, as_mallory: ApiClient, passkey: Authenticator
) -> None:
    path = f"{PASSKEYS}/{Passkey.objects.get().pk}"
    assert code_of(as_mallory.patch_json(path, {"name": "Mine"})) == (404, "NOT_FOUND")
    assert code_of(as_mallory.delete(path)) == (404, "NOT_FOUND")
    assert as_alice.patch_json(path, {"name": "Old laptop"}).json()["data"]["name"] == "Old laptop"
    assert as_alice.delete(path).status_code == 200
    assert code_of(log_in(passkey)) == WRONG
    assert as_alice.get("/v1/auth/2fa").json()["data"] == {
        "enabled": False,
        "methods": [],
        "backupCodesLeft": 0,
    }
    assert "accessToken" in sign_in(ApiClient()).json()["data"]


def test_adding_and_removing_need_a_fresh_sign_in_and_reading_does_not(
    as_alice: ApiClient, passkey: Authenticator
) -> None:
    path = f"{PASSKEYS}/{Passkey.objects.get().pk}"
    credential = Authenticator().create(options_of(as_alice, OPTIONS))
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    stale = (403, "REAUTHENTICATION_REQUIRED")
    assert code_of(as_alice.post_json(OPTIONS, {})) == stale
    assert code_of(as_alice.post_json(PASSKEYS, {"credential": credential})) == stale
    assert code_of(as_alice.delete(path)) == stale
    assert as_alice.get(PASSKEYS).status_code == 200
    assert as_alice.patch_json(path, {"name": "Renamed"}).status_code == 200


def test_a_challenge_is_answered_once_by_whom_it_was_made_for(
    as_alice: ApiClient, as_mallory: ApiClient
) -> None:
    credential = Authenticator().create(options_of(as_alice, OPTIONS))
    body = {"credential": credential}
    assert code_of(as_mallory.post_json(PASSKEYS, body)) == REFUSED
    assert as_alice.post_json(PASSKEYS, body).status_code == 201
    assert code_of(as_alice.post_json(PASSKEYS, body)) == REFUSED
    assert Passkey.objects.count() == 1
    assert not PasskeyChallenge.objects.exists()


def test_a_challenge_lasts_five_minutes(as_alice: ApiClient) -> None:
    credential = Authenticator().create(options_of(as_alice, OPTIONS))
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(seconds=301)):
        Session.objects.update(authenticated_at=timezone.now())
        answer = as_alice.post_json(PASSKEYS, {"credential": credential})
        assert code_of(answer) == REFUSED


def test_a_credential_that_another_account_has_is_refused(
    passkey: Authenticator, as_mallory: ApiClient
) -> None:
    assert code_of(add(as_mallory, passkey)) == REFUSED
    assert Passkey.objects.count() == 1


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("origin", "https://evil.example"), ("rp_id", "evil.example")],
)
def test_a_passkey_of_another_page_is_refused(
    as_alice: ApiClient, attribute: str, value: str
) -> None:
    authenticator = Authenticator()
    setattr(authenticator, attribute, value)
    assert code_of(add(as_alice, authenticator)) == REFUSED


# Signing in.


def test_a_passkey_alone_signs_in(passkey: Authenticator) -> None:
    client = ApiClient()
    answer = log_in(passkey, client, deviceName="Laptop")
    assert me(token_of(answer)).json()["data"]["email"] == "alice@example.com"
    assert "__Host-refreshToken" in client.cookies
    event = stored_events(EventType.SIGN_IN_SUCCEEDED)[-1]
    assert event.metadata["methods"] == ["passkey"]
    assert Passkey.objects.get().last_used_at is not None


def test_an_app_signs_in_with_its_tokens_in_the_body(passkey: Authenticator) -> None:
    data = log_in(passkey, tokenDelivery="body").json()["data"]
    assert refresh_with(data["refreshToken"]).status_code == 200


def test_alone_it_has_to_verify_its_owner_and_behind_a_password_not(
    passkey: Authenticator,
) -> None:
    passkey.verifies = False
    assert code_of(log_in(passkey)) == WRONG
    assert second_step(passkey, pending_token(ApiClient())).status_code == 200


def test_a_pending_sign_in_is_finished_once_and_trusts_the_device(passkey: Authenticator) -> None:
    client = ApiClient()
    token = pending_token(client)
    credential = passkey.get(options_of(client, LOGIN_OPTIONS, mfaToken=token))
    body = {"credential": credential, "mfaToken": token, "rememberDevice": True}
    assert client.post_json(LOGIN, body).status_code == 200
    assert code_of(client.post_json(LOGIN, body)) == NOT_VALID
    assert "accessToken" in sign_in(client).json()["data"]


def test_an_answer_is_good_for_its_purpose_and_person_alone(
    passkey: Authenticator, as_mallory: ApiClient, mallory: Membership
) -> None:
    mallorys = Authenticator()
    add(as_mallory, mallorys)
    token = pending_token(ApiClient())
    assert code_of(second_step(mallorys, token)) == WRONG
    alone = passkey.get(options_of(ApiClient(), LOGIN_OPTIONS))
    body = {"credential": alone, "mfaToken": token}
    assert code_of(ApiClient().post_json(LOGIN, body)) == WRONG
    behind = passkey.get(options_of(ApiClient(), LOGIN_OPTIONS, mfaToken=token))
    assert code_of(ApiClient().post_json(LOGIN, {"credential": behind})) == WRONG


def test_an_answer_works_once(passkey: Authenticator) -> None:
    credential = passkey.get(options_of(ApiClient(), LOGIN_OPTIONS))
    assert ApiClient().post_json(LOGIN, {"credential": credential}).status_code == 200
    assert code_of(ApiClient().post_json(LOGIN, {"credential": credential})) == WRONG


def test_a_copied_passkey_is_known_by_its_counter(passkey: Authenticator) -> None:
    assert log_in(passkey).status_code == 200
    passkey.counter -= 1
    assert code_of(log_in(passkey)) == WRONG
    assert Passkey.objects.get().sign_count == 1
    assert [e.metadata["reason"] for e in stored_events(EventType.MFA_FAILED)] == ["passkey"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("origin", "https://evil.example"),
        ("rp_id", "evil.example"),
        ("user_handle", b"somebody else"),
        ("id", b"unknown"),
        ("key", Authenticator().key),
    ],
)
def test_a_lie_signs_nobody_in(passkey: Authenticator, attribute: str, value: object) -> None:
    setattr(passkey, attribute, value)
    assert code_of(log_in(passkey)) == WRONG


def test_inactive_people_and_those_without_a_team_do_not_get_in(
    passkey: Authenticator, alice: Membership
) -> None:
    Membership.objects.update(is_active=False)
    assert code_of(log_in(passkey)) == (403, "PERMISSION_DENIED")
    User.objects.update(is_active=False)
    assert code_of(log_in(passkey)) == WRONG


def test_the_options_tell_nothing_of_accounts(db: None) -> None:
    options = options_of(ApiClient(), LOGIN_OPTIONS)
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"
    answer = ApiClient().post_json(LOGIN_OPTIONS, {"mfaToken": "x"})
    assert code_of(answer) == NOT_VALID


def test_a_foreign_page_signs_nobody_in(passkey: Authenticator) -> None:
    credential = passkey.get(options_of(ApiClient(), LOGIN_OPTIONS))
    headers = {"Origin": "https://evil.example"}
    answer = ApiClient().post_json(LOGIN, {"credential": credential}, headers=headers)
    assert code_of(answer) == (403, "CSRF_FAILED")


def test_a_passkey_makes_a_session_fresh(as_alice: ApiClient, passkey: Authenticator) -> None:
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    path = "/v1/auth/passkeys/reauthenticate/options"
    credential = passkey.get(options_of(as_alice, path))
    body = {"credential": credential}
    assert as_alice.post_json("/v1/auth/reauthenticate", body).status_code == 200
    assert code_of(as_alice.post_json("/v1/auth/reauthenticate", body)) == WRONG
    assert as_alice.post_json(OPTIONS, {}).status_code == 200


@pytest.mark.parametrize(
    "mangle",
    [
        lambda c: {},
        lambda c: {"response": 1},
        lambda c: c | {"id": None},
        lambda c: c | {"rawId": "AAAA"},
        lambda c: c | {"type": "password"},
        lambda c: c | {"response": c["response"] | {"clientDataJSON": "AAAA"}},
        lambda c: c | {"response": c["response"] | {"clientDataJSON": 7}},
        lambda c: c | {"response": c["response"] | {"attestationObject": "AAAA"}},
        lambda c: c | {"response": c["response"] | {"attestationObject": None}},
        lambda c: c | {"response": c["response"] | {"transports": [1, "smoke", {}]}},
    ],
)
def test_made_up_credentials_are_refused_without_a_fault(
    as_alice: ApiClient, mangle: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    credential = mangle(Authenticator().create(options_of(as_alice, OPTIONS)))
    answer = as_alice.post_json(PASSKEYS, {"credential": credential})
    assert answer.status_code in {201, 400}
    credential = mangle(Authenticator().get(options_of(ApiClient(), LOGIN_OPTIONS)))
    assert code_of(ApiClient().post_json(LOGIN, {"credential": credential})) == WRONG


def test_both_factors_are_offered_and_either_will_do(
    alice: Membership, passkey: Authenticator
) -> None:
    app = App(alice.user)
    assert sign_in(ApiClient()).json()["data"]["methods"] == ["totp", "passkey", "backup_code"]
    assert sign_in(ApiClient(), totpCode=app.code()).status_code == 200
    assert second_step(passkey, pending_token(ApiClient())).status_code == 200
