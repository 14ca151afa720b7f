"""What a key must be to open anything, and what its holder hears."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership
from conftest import ApiClient
from security.api_keys.format import ApiKeyParts, generate_key, parse_key
from security.api_keys.services import IssuedKey, issue_key
from security.models import ApiKey
from security.request.touch import TOUCH_INTERVAL
from tests.wire import statements_on_the_wire

PATH = "/v1/clients"


def call(written: str, **extra: Any) -> tuple[int, str]:
    """Call with a key; return status and code."""
    response = ApiClient(f"Bearer {written}").get(PATH, **extra)
    return response.status_code, response.json().get("error", {}).get("code", "OK")


def change(key: IssuedKey, **values: object) -> None:
    ApiKey.objects.filter(pk=key.api_key.pk).update(**values)


def with_wrong_secret(key: IssuedKey) -> str:
    """Return a well-formed key with the right id and a secret of its own."""
    return ApiKeyParts(key.api_key.key_id, generate_key().secret).written


def test_a_key_opens_its_team(key: IssuedKey) -> None:
    assert call(key.written) == (200, "OK")


def test_a_wrong_secret_opens_nothing(key: IssuedKey) -> None:
    assert call(with_wrong_secret(key)) == (401, "INVALID_API_KEY")


def test_an_unknown_key_answers_as_a_wrong_secret(key: IssuedKey) -> None:
    unknown = ApiClient(f"Bearer {generate_key().written}").get(PATH)
    wrong = ApiClient(f"Bearer {with_wrong_secret(key)}").get(PATH)
    for answer in (unknown, wrong):
        assert answer.status_code == 401
    assert unknown.json()["error"]["message"] == wrong.json()["error"]["message"]
    assert unknown.headers["WWW-Authenticate"] == wrong.headers["WWW-Authenticate"]


@pytest.mark.parametrize("state", ["expired", "revoked", "network"])
def test_only_the_holder_of_the_secret_hears_why_a_key_ended(key: IssuedKey, state: str) -> None:
    now = timezone.now()
    endings: dict[str, tuple[dict[str, object], tuple[int, str]]] = {
        "expired": ({"expires_at": now - timedelta(seconds=1)}, (401, "API_KEY_EXPIRED")),
        "revoked": ({"revoked_at": now}, (401, "INVALID_API_KEY")),
        "network": ({"allowed_ips": ["203.0.113.0/24"]}, (403, "IP_NOT_ALLOWED")),
    }
    values, heard = endings[state]
    change(key, **values)
    assert call(key.written) == heard
    assert call(with_wrong_secret(key)) == (401, "INVALID_API_KEY")


def test_a_revoked_key_that_also_expired_is_invalid(key: IssuedKey) -> None:
    change(key, revoked_at=timezone.now(), expires_at=timezone.now() - timedelta(days=1))
    assert call(key.written) == (401, "INVALID_API_KEY")


def test_an_expired_key_does_not_tell_about_its_networks(key: IssuedKey) -> None:
    change(key, expires_at=timezone.now(), allowed_ips=["203.0.113.0/24"])
    assert call(key.written) == (401, "API_KEY_EXPIRED")


@pytest.mark.parametrize(
    ("peer", "status"), [("203.0.113.9", 200), ("203.0.114.9", 403), ("2001:db8::1", 403)]
)
def test_a_key_with_networks_works_from_them_only(key: IssuedKey, peer: str, status: int) -> None:
    change(key, allowed_ips=["203.0.113.0/24"])
    assert call(key.written, REMOTE_ADDR=peer)[0] == status
    spoofed = call(key.written, REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert spoofed[0] == status


@pytest.mark.django_db(transaction=True)
def test_a_malformed_key_costs_no_statement(key: IssuedKey) -> None:
    written = key.written[:-1] + ("0" if key.written[-1] != "0" else "1")
    assert parse_key(written) is None
    with statements_on_the_wire() as statements:
        assert call(written) == (401, "INVALID_API_KEY")
    assert statements == []


def test_the_use_of_a_key_is_noted_at_most_once_a_minute(key: IssuedKey) -> None:
    def last_used() -> object:
        return ApiKey.objects.get(pk=key.api_key.pk).last_used_at

    assert last_used() is None
    call(key.written)
    first = last_used()
    assert first is not None
    call(key.written)
    assert last_used() == first
    long_ago = timezone.now() - TOUCH_INTERVAL
    change(key, last_used_at=long_ago)
    call(key.written)
    assert last_used() != long_ago


def test_a_refused_key_is_not_noted_as_used(key: IssuedKey) -> None:
    call(with_wrong_secret(key))
    assert ApiKey.objects.get(pk=key.api_key.pk).last_used_at is None


def test_a_use_that_is_answered_with_an_error_is_noted_too(alice: Membership) -> None:
    issued = issue_key(team_id=alice.team_id, owner_id=alice.user_id, name="Idle", scopes={})
    assert call(issued.written) == (403, "INSUFFICIENT_SCOPE")
    assert ApiKey.objects.get(pk=issued.api_key.pk).last_used_at is not None


def test_no_log_holds_a_key(key: IssuedKey, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for written in (key.written, with_wrong_secret(key), key.written[:-1]):
            call(written)
    secret = key.written.split("_")[2]
    assert secret not in caplog.text
