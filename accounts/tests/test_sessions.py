"""The list of one's own sessions, and ending one of them."""

import datetime
import uuid

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Membership, Session
from accounts.sessions.authentication import touch_session
from accounts.tests.calls import code_of, me, sign_in, token_of
from accounts.tests.factories import open_session
from conftest import ApiClient
from security.request.touch import TOUCH_INTERVAL

SESSIONS = "/v1/auth/sessions"
FIELDS = {
    "id",
    "current",
    "deviceName",
    "userAgent",
    "ipAddress",
    "createdAt",
    "lastSeenAt",
    "expiresAt",
}


def test_alice_sees_her_live_sessions_the_newest_first(alice: Membership, bob: Membership) -> None:
    open_session(bob)
    phone = token_of(sign_in(ApiClient(), deviceName="Phone"))
    sign_in(ApiClient(), deviceName="Laptop")
    data = ApiClient(f"Bearer {phone}").get(SESSIONS).json()["data"]
    assert [session["deviceName"] for session in data] == ["Laptop", "Phone"]
    assert [session["current"] for session in data] == [False, True]
    assert data[0].keys() == FIELDS


def test_ended_expired_and_idle_sessions_are_not_listed(
    alice: Membership, as_alice: ApiClient
) -> None:
    now = timezone.now()
    open_session(alice, revoked_at=now)
    open_session(alice, expires_at=now)
    open_session(alice, last_seen_at=now - datetime.timedelta(days=7))
    assert len(as_alice.get(SESSIONS).json()["data"]) == 1


def test_alice_ends_another_session_of_hers(alice: Membership, as_alice: ApiClient) -> None:
    stolen = token_of(sign_in(ApiClient()))
    session = Session.objects.order_by("-created_at")[0]
    answer = as_alice.delete(f"{SESSIONS}/{session.pk}")
    assert answer.json()["data"] == {"id": str(session.pk)}
    assert code_of(me(stolen)) == (401, "SESSION_REVOKED")
    assert as_alice.get("/v1/auth/me").status_code == 200


def test_alice_ends_her_present_session(alice: Membership, as_alice: ApiClient) -> None:
    as_alice.delete(f"{SESSIONS}/{Session.objects.get().pk}")
    assert code_of(as_alice.get(SESSIONS)) == (401, "SESSION_REVOKED")


def test_ended_session_cannot_be_ended_again(alice: Membership, as_alice: ApiClient) -> None:
    session = open_session(alice)
    assert as_alice.delete(f"{SESSIONS}/{session.pk}").status_code == 200
    assert code_of(as_alice.delete(f"{SESSIONS}/{session.pk}")) == (404, "NOT_FOUND")


def test_session_of_somebody_else_answers_as_an_absent_one(
    as_alice: ApiClient, bob: Membership, mallory: Membership
) -> None:
    ids = [open_session(bob).pk, open_session(mallory).pk, uuid.uuid4()]
    answers = [as_alice.delete(f"{SESSIONS}/{pk}") for pk in ids]
    assert [code_of(answer) for answer in answers] == [(404, "NOT_FOUND")] * 3
    assert not Session.objects.exclude(revoked_at=None).exists()


def test_malformed_session_id_is_not_found(as_alice: ApiClient) -> None:
    assert code_of(as_alice.delete(f"{SESSIONS}/1")) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["me", "verify", "sessions"])
def test_key_has_no_account_pages(as_key: ApiClient, path: str) -> None:
    assert code_of(as_key.get(f"/v1/auth/{path}")) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("path", ["me", "verify", "sessions"])
def test_stranger_has_no_account_pages(as_stranger: ApiClient, db: None, path: str) -> None:
    answer = as_stranger.get(f"/v1/auth/{path}")
    assert code_of(answer) == (401, "AUTHENTICATION_REQUIRED")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_verify_tells_until_when_the_token_stands(alice: Membership) -> None:
    token = token_of(sign_in(ApiClient()))
    client = ApiClient(f"Bearer {token}")
    data = client.get("/v1/auth/verify").json()["data"]
    assert data.keys() == {"valid", "expiresAt", "user"}
    assert data["valid"] is True
    assert data["expiresAt"].endswith("Z")
    assert data["user"] == client.get("/v1/auth/me").json()["data"]


def test_use_of_a_session_is_noted_once_a_minute(alice: Membership) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = token_of(sign_in(ApiClient()))
        signed_in_at = timezone.now()
        clock.shift(TOUCH_INTERVAL.total_seconds() - 1)
        me(token)
        assert Session.objects.get().last_seen_at == signed_in_at
        clock.shift(1)
        me(token)
        assert Session.objects.get().last_seen_at == timezone.now()


def test_late_note_of_an_earlier_use_changes_nothing(alice: Membership) -> None:
    session = open_session(alice)
    touch_session(session.pk, session.last_seen_at - TOUCH_INTERVAL)
    assert Session.objects.get().last_seen_at == session.last_seen_at
