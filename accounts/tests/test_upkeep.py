"""Sessions and tokens that ended long ago go; what still gives access stays."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session as AdminSession
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import jobs, upkeep
from accounts.models import Membership, Session
from accounts.tests.calls import code_of, refresh_with, sign_in_app
from accounts.tests.factories import open_session
from conftest import ApiClient


def test_sessions_go_ninety_days_after_their_end(
    alice: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_BATCH_SIZE", 1)
    now = timezone.now()
    kept = [
        open_session(alice),
        open_session(alice, expires_at=now - timedelta(days=89)),
        open_session(alice, revoked_at=now - timedelta(days=89)),
    ]
    open_session(alice, expires_at=now - timedelta(days=91))
    open_session(alice, revoked_at=now - timedelta(days=91))
    assert upkeep.delete_ended_sessions() == 2
    assert set(Session.objects.all()) == set(kept)


def test_expired_tokens_leave_the_ledger_and_live_ones_work_on(alice: Membership) -> None:
    first = sign_in_app(ApiClient())["refreshToken"]
    second = refresh_with(first).json()["data"]["refreshToken"]
    assert OutstandingToken.objects.count() == 2
    used = BlacklistedToken.objects.get().token
    OutstandingToken.objects.filter(pk=used.pk).update(expires_at=timezone.now())
    AdminSession.objects.create(session_key="old", session_data="", expire_date=timezone.now())
    jobs.delete_old_sign_ins()
    assert OutstandingToken.objects.count() == 1
    assert not BlacklistedToken.objects.exists()
    assert not AdminSession.objects.exists()
    assert refresh_with(second).status_code == 200


def test_the_token_of_a_session_that_is_gone_opens_nothing(alice: Membership) -> None:
    token = sign_in_app(ApiClient())["refreshToken"]
    Session.objects.update(revoked_at=timezone.now() - timedelta(days=91))
    jobs.delete_old_sign_ins()
    assert not Session.objects.exists()
    assert code_of(refresh_with(token)) == (401, "INVALID_REFRESH_TOKEN")
