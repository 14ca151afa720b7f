"""Honeypots: what they answer, whom they block, what they leave on record."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from conftest import ApiClient
from crm.api.schema.document import schema_document
from crm.env import env
from crm.env.parsers import networks
from security.events.types import EventType
from security.honeypots import views
from security.ip_blocks.models import IpBlock
from security.tests.blocks import SetExempt
from security.tests.counters import SetRate
from security.tests.events import stored_events
from tests.threads import at_once
from tests.wire import statements_on_the_wire

SCANNER = "203.0.113.7"
USERS, BACKDOOR = "/v1/admin/users", "/v1/admin/backdoor"


def call(method: str, path: str, sender: str = SCANNER, **headers: str) -> Any:
    return ApiClient().generic(method, path, REMOTE_ADDR=sender, headers=headers)


def blocked() -> list[str]:
    return [str(block) for block in IpBlock.objects.active()]


def hits() -> list[tuple[str, str, Any, Any]]:
    """Return path, address, honeypot and outcome of each recorded hit."""
    return [
        (e.request_path, e.ip_address, e.metadata["honeypot"], e.metadata["blocked"])
        for e in stored_events(EventType.HONEYPOT_HIT)
    ]


def test_the_list_of_users_is_empty(db: None) -> None:
    answer = call("GET", USERS)
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "data": [],
        "pagination": {"limit": 25, "nextCursor": None, "previousCursor": None},
    }
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert call("HEAD", USERS).status_code == 200
    assert hits() == [(USERS, SCANNER, "users", False)] * 2
    assert blocked() == []


def test_the_backdoor_is_absent_and_blocks_for_a_day(db: None) -> None:
    answer = call("POST", BACKDOOR)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    block = IpBlock.objects.get()
    assert (block.network, block.blocked_by) == (f"{SCANNER}/32", "honeypot")
    assert block.reason == f"POST {BACKDOOR}"
    until = block.blocked_until
    assert until is not None
    assert timedelta(hours=23) < until - timezone.now() <= timedelta(hours=24)
    assert hits() == [(BACKDOOR, SCANNER, "backdoor", True)]
    assert len(stored_events(EventType.ADDRESS_BLOCKED)) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.ENV",
        "/x//.env",
        "/%2eenv",
        "/api/.env",
        "/v1/clients/.env",
        "/.git/config",
        "/shop/.git/HEAD",
        "/wp-login.php",
        "/wp-admin/",
        "/phpmyadmin/index.php?lang=en",
        "/static/.env",
    ],
)
def test_a_scanner_is_blocked_at_once(db: None, path: str) -> None:
    for method in ("GET", "POST", "PROPFIND"):
        answer = call(method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert blocked() == [f"{SCANNER}/32"]
    assert [hit[1:] for hit in hits()] == [(SCANNER, "scanner", True)] * 3
    assert "?" not in hits()[0][0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", USERS),
        ("DELETE", USERS),
        ("OPTIONS", USERS),
        ("GET", f"{USERS}/"),
        ("GET", BACKDOOR),
        ("PUT", BACKDOOR),
        ("POST", f"{BACKDOOR}/"),
        ("GET", "/favicon.ico"),
        ("GET", "/robots.txt"),
        ("GET", "/.github/workflows"),
        ("GET", "/.well-known/security.txt"),
        ("GET", "/environment"),
    ],
)
def test_whatever_else_is_absent_like_any_path(db: None, method: str, path: str) -> None:
    nothing = "/v1/nothing" if path.startswith("/v1/") else "/nothing"
    absent, answer = call(method, nothing), call(method, path)
    assert answer.status_code == absent.status_code == 404
    assert answer.headers.keys() == absent.headers.keys()
    assert (hits(), blocked()) == ([], [])


def test_the_sender_is_blocked_and_not_whom_he_names(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, names = "198.51.100.9", ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP")
    call("POST", BACKDOOR, **dict.fromkeys(names, victim))
    assert blocked() == [f"{SCANNER}/32"]
    behind_proxy: Any = dataclasses.replace(env, trusted_proxies=networks("10.0.0.0/8"))
    monkeypatch.setattr("security.request.middleware.env", behind_proxy)
    call("GET", "/.env", "10.0.0.1", **{"X-Forwarded-For": f"{victim}, 203.0.113.8"})
    assert set(blocked()) == {f"{SCANNER}/32", "203.0.113.8/32"}


def test_a_subscriber_of_ipv6_is_blocked_whole(db: None) -> None:
    call("GET", "/.env", "2001:db8:1:2:3:4:5:6")
    assert blocked() == ["2001:db8:1:2::/64"]


@pytest.mark.parametrize("sender", ["127.0.0.1", "::1", "10.1.2.3", "198.51.100.7"])
def test_who_is_exempt_is_recorded_only(db: None, set_exempt: SetExempt, sender: str) -> None:
    set_exempt(trusted_proxies="10.0.0.0/8", block_exempt_networks="198.51.100.0/24")
    assert call("GET", "/.env", sender).status_code == 404
    assert hits() == [("/.env", sender, "scanner", False)]
    assert blocked() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_browser_that_was_led_here_closes_no_office(db: None, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/.env"), ("POST", BACKDOOR)):
        assert call(method, path, **headers).status_code == 404
    assert [hit[-1] for hit in hits()] == [False, False]
    assert blocked() == []


def test_our_own_pages_are_no_excuse(db: None) -> None:
    call("POST", BACKDOOR, **{"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"})
    assert blocked() == [f"{SCANNER}/32"]


def test_a_duration_of_zero_records_only(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = dataclasses.replace(env, honeypot_block_duration=timedelta())
    monkeypatch.setattr(views, "env", changed)
    call("POST", BACKDOOR)
    assert (len(hits()), blocked()) == (1, [])


def test_hits_above_the_limit_of_strangers_leave_one_event(db: None, set_rate: SetRate) -> None:
    set_rate("anonymous", "2/1d")
    statuses = [call("GET", "/.env", "127.0.0.1").status_code for _ in range(5)]
    assert statuses == [404, 404, 429, 429, 429]
    assert len(hits()) == 2
    assert len(stored_events(EventType.RATE_LIMIT_EXCEEDED)) == 1
    assert call("GET", "/nothing", "127.0.0.1").status_code == 404


def test_a_database_that_is_away_changes_no_answer(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(views, "block_client", fail)
    assert call("POST", BACKDOOR).status_code == 404
    assert f"Not blocked: {SCANNER}" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_sixteen_hits_at_once_make_one_block() -> None:
    statuses = at_once(16, lambda _: call("POST", BACKDOOR).status_code)
    assert statuses == [404] * 16
    assert IpBlock.objects.count() == 1
    assert len(stored_events(EventType.ADDRESS_BLOCKED)) == 1
    assert len(hits()) == 16


@pytest.mark.django_db(transaction=True)
def test_an_ordinary_absent_path_costs_no_statement() -> None:
    with statements_on_the_wire() as statements:
        assert Client().get("/v1/nothing").status_code == 404
    assert statements == []


def test_honeypots_are_not_described() -> None:
    described = schema_document()
    assert b"/v1/clients" in described
    assert b"/v1/admin" not in described
