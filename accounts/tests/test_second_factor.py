"""Setting up a second factor, its backup codes, and giving it up."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import BackupCode, Membership, RevokeReason, Session, TotpDevice
from accounts.tests.calls import code_of, sign_in
from accounts.tests.factories import make_device, open_session
from accounts.tests.factors import BACKUP_CODES, CONFIRM, DISABLE, SETUP, App, code_at
from conftest import ApiClient
from security.events.types import EventType
from security.tests.events import stored_events

CONFLICT = (409, "CONFLICT")


def set_up(client: ApiClient) -> tuple[dict[str, str], bytes]:
    """Begin with an app; return the answer's data and the seed."""
    data = client.post_json(SETUP, {}).json()["data"]
    return data, base64.b32decode(data["secret"])


def confirm(client: ApiClient, code: str) -> Any:
    return client.post_json(CONFIRM, {"code": code})


def test_the_set_up_shows_what_an_app_reads(as_alice: ApiClient, alice: Membership) -> None:
    data, seed = set_up(as_alice)
    uri = urlsplit(data["otpauthUri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/CRM:alice@example.com")
    assert parse_qs(uri.query)["secret"] == [data["secret"]]
    assert len(seed) == 20
    assert data["qrSvg"].startswith("<svg ")
    assert data["qrSvg"].endswith("</svg>")
    assert not re.search(r"script|href|url\(", data["qrSvg"])


def test_a_code_turns_it_on_and_shows_ten_backup_codes(
    as_alice: ApiClient, alice: Membership, run_jobs: Callable[[], list[str]]
) -> None:
    _, seed = set_up(as_alice)
    assert sign_in(ApiClient()).json()["data"].keys() >= {"accessToken"}
    codes = confirm(as_alice, code_at(seed)).json()["data"]["backupCodes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code) for code in codes)
    assert sign_in(ApiClient()).json()["data"]["mfaRequired"] is True
    (event,) = stored_events(EventType.MFA_ENABLED)
    assert (event.user_id, event.metadata["method"]) == (alice.user_id, "totp")
    run_jobs()
    assert "authenticator app was added" in mail.outbox[-1].body


def test_nothing_that_works_is_stored(as_alice: ApiClient, alice: Membership) -> None:
    data, seed = set_up(as_alice)
    codes = confirm(as_alice, code_at(seed)).json()["data"]["backupCodes"]
    rows = [*TotpDevice.objects.all(), *BackupCode.objects.all()]
    stored = " ".join(str(vars(row)) for row in rows)
    for secret in (data["secret"], seed.hex(), *codes, *(code.replace("-", "") for code in codes)):
        assert secret not in stored


def test_wrong_and_foreign_codes_confirm_nothing(
    as_alice: ApiClient, as_mallory: ApiClient
) -> None:
    _, seed = set_up(as_alice)
    _, mallorys = set_up(as_mallory)
    for code in (code_at(mallorys), code_at(seed, 5)):
        assert code_of(confirm(as_alice, code)) == (400, "VALIDATION_ERROR")
    assert as_alice.get("/v1/auth/2fa").json()["data"]["enabled"] is False


def test_a_later_set_up_takes_the_place_of_an_unfinished_one(as_alice: ApiClient) -> None:
    _, first = set_up(as_alice)
    _, second = set_up(as_alice)
    assert code_of(confirm(as_alice, code_at(first)))[0] == 400
    assert confirm(as_alice, code_at(second)).status_code == 200


def test_a_confirmed_app_has_to_be_given_up_first(as_alice: ApiClient, alice: Membership) -> None:
    App(alice.user)
    assert code_of(as_alice.post_json(SETUP, {})) == CONFLICT
    assert as_alice.post_json(DISABLE, {}).json()["data"] == {"disabled": True}
    assert as_alice.post_json(SETUP, {}).status_code == 200


def test_without_a_factor_there_is_nothing_to_confirm_disable_or_renew(
    as_alice: ApiClient,
) -> None:
    assert code_of(confirm(as_alice, "123456")) == CONFLICT
    assert code_of(as_alice.post_json(DISABLE, {})) == CONFLICT
    assert code_of(as_alice.post_json(BACKUP_CODES, {})) == CONFLICT


def test_giving_it_up_leaves_the_password_alone(
    as_alice: ApiClient, alice: Membership, run_jobs: Callable[[], list[str]]
) -> None:
    App(alice.user).backup_codes()
    as_alice.post_json(DISABLE, {})
    assert not TotpDevice.objects.exists()
    assert not BackupCode.objects.exists()
    assert "accessToken" in sign_in(ApiClient()).json()["data"]
    assert len(stored_events(EventType.MFA_DISABLED)) == 1
    run_jobs()
    assert "authenticator app was removed" in mail.outbox[-1].body


def test_new_backup_codes_end_the_old_ones(as_alice: ApiClient, alice: Membership) -> None:
    app = App(alice.user)
    old = app.backup_codes()[0]
    new = as_alice.post_json(BACKUP_CODES, {}).json()["data"]["backupCodes"]
    assert code_of(sign_in(ApiClient(), totpCode=old)) == (401, "INVALID_CREDENTIALS")
    assert sign_in(ApiClient(), totpCode=new[0]).status_code == 200
    state = as_alice.get("/v1/auth/2fa").json()["data"]
    assert state == {"enabled": True, "methods": ["totp", "backup_code"], "backupCodesLeft": 9}


def test_a_change_ends_other_sessions_and_the_trust_in_devices(
    as_alice: ApiClient, alice: Membership
) -> None:
    other = open_session(alice)
    until = timezone.now() + timedelta(days=1)
    device = make_device(alice.user, trusted_until=until, trust_fingerprint="x")
    _, seed = set_up(as_alice)
    assert confirm(as_alice, code_at(seed)).status_code == 200
    assert Session.objects.get(pk=other.pk).revoke_reason == RevokeReason.FACTOR_CHANGED
    device.refresh_from_db()
    assert device.trusted_until is None
    assert as_alice.get("/v1/auth/me").status_code == 200


@pytest.mark.parametrize("path", [SETUP, CONFIRM, DISABLE, BACKUP_CODES])
def test_every_change_needs_a_fresh_sign_in(as_alice: ApiClient, path: str) -> None:
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    body = {"code": "123456"} if path == CONFIRM else {}
    assert code_of(as_alice.post_json(path, body)) == (403, "REAUTHENTICATION_REQUIRED")


def test_the_code_that_confirmed_signs_nobody_in(as_alice: ApiClient) -> None:
    _, seed = set_up(as_alice)
    code = code_at(seed)
    confirm(as_alice, code)
    assert code_of(sign_in(ApiClient(), totpCode=code)) == (401, "INVALID_CREDENTIALS")
