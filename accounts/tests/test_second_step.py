"""Signing in with a second factor: in one call, in two, and from a trusted device."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail

from accounts.models import Membership, Session, TotpDevice, User
from accounts.tests.calls import (
    COOKIE,
    WRONG_PASSWORD,
    code_of,
    me,
    refresh_with,
    sign_in,
    token_of,
)
from accounts.tests.factories import access_token
from accounts.tests.factors import DISABLE, VERIFY, App, pending_token, verify
from conftest import ApiClient
from security.events.types import EventType
from security.tests.events import stored_events

WRONG = (401, "INVALID_CREDENTIALS")
NOT_VALID = (401, "INVALID_TOKEN")


@pytest.fixture
def app(alice: Membership) -> App:
    return App(alice.user)


def test_the_password_alone_is_answered_with_a_pending_sign_in(app: App) -> None:
    client = ApiClient()
    answer = sign_in(client)
    data = answer.json()["data"]
    assert answer.status_code == 200
    assert data.pop("mfaToken")
    assert data == {"mfaRequired": True, "methods": ["totp"], "expiresInSeconds": 300}
    assert not client.cookies
    assert not Session.objects.exists()


def test_a_code_finishes_it_and_answers_as_a_sign_in(app: App) -> None:
    client = ApiClient()
    answer = verify(client, pending_token(client, deviceName="Phone"), app.code())
    assert answer.json()["data"].keys() == {
        "user",
        "accessToken",
        "expiresIn",
        "expiresInSeconds",
        "tokenType",
    }
    assert COOKIE in client.cookies
    assert me(token_of(answer)).status_code == 200
    assert Session.objects.get().device_name == "Phone"
    (event,) = stored_events(EventType.SIGN_IN_SUCCEEDED)
    assert event.metadata["methods"] == ["password", "totp"]


def test_an_app_gets_its_tokens_in_the_body_in_two_steps_too(app: App) -> None:
    client = ApiClient()
    token = pending_token(client, tokenDelivery="body", deviceToken="")
    data = verify(client, token, app.code(), deviceToken="").json()["data"]
    assert data["deviceToken"]
    assert refresh_with(data["refreshToken"]).status_code == 200
    assert not client.cookies


def test_a_code_with_the_password_signs_in_at_once(app: App) -> None:
    assert me(token_of(sign_in(ApiClient(), totpCode=app.code()))).status_code == 200


def test_a_code_without_a_factor_or_with_a_wrong_password_does_nothing(
    app: App, bob: Membership
) -> None:
    assert sign_in(ApiClient(), "bob@example.com", totpCode="123456").status_code == 200
    code = app.code()
    wrong = sign_in(ApiClient(), password=WRONG_PASSWORD, totpCode=code)
    assert wrong.json()["error"]["details"] == {"attemptsRemaining": 4}
    assert sign_in(ApiClient(), totpCode=code).status_code == 200


def test_a_backup_code_signs_in_once_and_its_owner_hears_of_it(
    app: App, run_jobs: Callable[[], list[str]]
) -> None:
    code = app.backup_codes()[0]
    client = ApiClient()
    assert verify(client, pending_token(client), code.upper()).status_code == 200
    assert code_of(verify(client, pending_token(client), code)) == WRONG
    assert code_of(sign_in(ApiClient(), totpCode=code)) == WRONG
    assert len(stored_events(EventType.BACKUP_CODE_USED)) == 1
    assert {e.metadata["reason"] for e in stored_events(EventType.MFA_FAILED)} == {"used_code"}
    run_jobs()
    assert "9 of them" in " ".join(mail.outbox[-1].body.split())


def test_a_code_of_the_app_works_once_and_none_before_it_ever_after(app: App) -> None:
    client = ApiClient()
    assert sign_in(client, totpCode=app.code(1)).status_code == 200
    for steps in (1, 0, -1):
        assert code_of(sign_in(client, totpCode=app.code(steps))) == WRONG


def test_codes_of_the_neighbouring_steps_work_and_no_others(app: App) -> None:
    with time_machine.travel(datetime(2030, 1, 1, 12, 0, 15, tzinfo=UTC), tick=False):
        for steps, status in ((-2, 401), (2, 401), (-1, 200), (0, 200), (1, 200)):
            assert sign_in(ApiClient(), totpCode=app.code(steps)).status_code == status


@pytest.mark.parametrize(
    "disguise",
    [
        lambda code: "".join(chr(ord(digit) + 0xFEE0) for digit in code),
        lambda code: f"+{code}",
        lambda code: f" {code}",
        lambda code: f"{code}\n",
        lambda code: f"{code[:3]} {code[3:]}",
        lambda code: f"{code[:3]}_{code[3:]}",
        lambda code: f"0{code}",
        lambda code: code[:5],
        lambda code: int(code),
        lambda code: [code],
        lambda code: "",
    ],
)
def test_a_disguised_code_is_none_and_is_not_counted(
    app: App, disguise: Callable[[str], Any]
) -> None:
    token = pending_token(ApiClient())
    sent = disguise(app.code())
    assert code_of(verify(ApiClient(), token, sent)) == (400, "VALIDATION_ERROR")
    assert code_of(sign_in(ApiClient(), totpCode=sent)) == (400, "VALIDATION_ERROR")
    assert stored_events(EventType.MFA_FAILED) == []


def test_a_pending_token_opens_nothing_else(app: App) -> None:
    token = pending_token(ApiClient())
    assert code_of(me(token)) == NOT_VALID
    assert code_of(ApiClient(f"Bearer {token}").get("/v1/clients")) == NOT_VALID
    assert code_of(refresh_with(token)) == (401, "INVALID_REFRESH_TOKEN")
    assert ApiClient().post_json("/v1/auth/logout", {"refreshToken": token}).status_code == 200
    assert verify(ApiClient(), token, app.code()).status_code == 200


def test_no_other_token_stands_for_a_pending_sign_in(app: App, alice: Membership) -> None:
    signed_in = sign_in(ApiClient(), totpCode=app.code(), tokenDelivery="body").json()["data"]
    for token in (signed_in["accessToken"], signed_in["refreshToken"], access_token(alice), "x"):
        assert code_of(verify(ApiClient(), token, app.code(1))) == NOT_VALID


def test_a_pending_token_opens_one_session(app: App) -> None:
    token, codes = pending_token(ApiClient()), app.backup_codes()
    assert verify(ApiClient(), token, codes[0]).status_code == 200
    assert code_of(verify(ApiClient(), token, codes[1])) == NOT_VALID
    # The second code was not wasted.
    assert sign_in(ApiClient(), totpCode=codes[1]).status_code == 200


def test_a_pending_token_lasts_five_minutes(app: App) -> None:
    token = pending_token(ApiClient())
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(seconds=301)):
        assert code_of(verify(ApiClient(), token, app.code())) == (401, "TOKEN_EXPIRED")


def test_another_users_code_does_not_fit(app: App, mallory: Membership) -> None:
    mallorys = App(mallory.user)
    token = pending_token(ApiClient())
    for code in (mallorys.code(), mallorys.backup_codes()[0]):
        assert code_of(verify(ApiClient(), token, code)) == WRONG
    assert not Session.objects.exists()


def test_a_new_password_ends_pending_sign_ins(app: App) -> None:
    token = pending_token(ApiClient())
    app.user.set_password("Quite-Another-Horse-7")
    app.user.save()
    assert code_of(verify(ApiClient(), token, app.code())) == NOT_VALID


def test_other_factors_and_inactivity_end_pending_sign_ins(app: App, as_alice: ApiClient) -> None:
    token = pending_token(ApiClient())
    as_alice.post_json(DISABLE, {})
    assert code_of(verify(ApiClient(), token, app.code())) == NOT_VALID
    again = App(app.user)
    token = pending_token(ApiClient())
    User.objects.update(is_active=False)
    assert code_of(verify(ApiClient(), token, again.code())) == NOT_VALID


def test_the_second_step_is_refused_to_a_foreign_page(app: App) -> None:
    body = {"mfaToken": pending_token(ApiClient()), "code": app.code()}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = ApiClient().post_json(VERIFY, body, headers=headers)
        assert code_of(answer) == (403, "CSRF_FAILED")
    assert ApiClient().post_json(VERIFY, body).status_code == 200


def test_a_removed_member_finishes_nothing(app: App, alice: Membership) -> None:
    token = pending_token(ApiClient())
    Membership.objects.filter(pk=alice.pk).delete()
    assert code_of(verify(ApiClient(), token, app.code())) == (403, "PERMISSION_DENIED")


def test_a_seed_that_cannot_be_read_lets_nobody_in_but_by_backup_code(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    TotpDevice.objects.update(encrypted_seed="gone.AAAA")
    assert code_of(sign_in(ApiClient(), totpCode=app.code())) == WRONG
    assert "cannot be read" in caplog.text
    assert sign_in(ApiClient(), totpCode=app.backup_codes()[0]).status_code == 200


# Trusted devices.


def test_a_trusted_device_leaves_the_code_out(app: App) -> None:
    client = ApiClient()
    verify(client, pending_token(client), app.code(), rememberDevice=True)
    assert "accessToken" in sign_in(client).json()["data"]
    assert "mfaToken" in sign_in(ApiClient()).json()["data"]


def test_a_device_is_not_trusted_unless_asked_for(app: App) -> None:
    client = ApiClient()
    sign_in(client, totpCode=app.code())
    assert "mfaToken" in sign_in(client).json()["data"]
    sign_in(client, totpCode=app.code(1), rememberDevice=True)
    assert "accessToken" in sign_in(client).json()["data"]


def test_trust_ends_after_thirty_days_with_the_password_and_with_the_factor(app: App) -> None:
    client = ApiClient()
    sign_in(client, totpCode=app.code(), rememberDevice=True)
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=30, seconds=1)):
        assert "mfaToken" in sign_in(client).json()["data"]
    app.device.delete()
    again = App(app.user)
    assert "mfaToken" in sign_in(client).json()["data"]
    sign_in(client, totpCode=again.code(), rememberDevice=True)
    app.user.set_password("Quite-Another-Horse-7")
    app.user.save()
    assert "mfaToken" in sign_in(client, password="Quite-Another-Horse-7").json()["data"]
