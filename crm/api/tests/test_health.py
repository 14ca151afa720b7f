import pytest
from django.test import Client
from pytest_django import Settings

from crm.api import readiness
from crm.api.errors import ServiceUnavailable

NAMES = {"database", "migrations", "cache", "isolation"}


def test_health_asks_nothing() -> None:
    # Without the `db` mark any statement would fail here.
    assert Client().get("/v1/health").json() == {"success": True, "data": {"status": "ok"}}


def test_probe_may_call_health_by_address() -> None:
    probe = {"Host": "10.0.0.7"}
    assert Client().get("/v1/health", headers=probe).status_code == 200
    assert Client().get("/v1/clients", headers=probe).status_code == 400


@pytest.mark.usefixtures("db", "unread_readiness")
def test_readiness_names_what_was_checked() -> None:
    body = Client().get("/v1/health/ready").json()
    assert body["data"] == {"status": "ok", "checks": dict.fromkeys(NAMES, "ok")}


@pytest.mark.usefixtures("db", "unread_readiness")
def test_readiness_names_what_fails_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = {"database": list, "isolation": lambda: ["Table secret_table is open."]}
    monkeypatch.setattr(readiness, "_checks", lambda: checks)
    response = Client().get("/v1/health/ready")
    assert response.status_code == ServiceUnavailable.status
    assert response.json()["error"]["details"] == {"database": ["ok"], "isolation": ["failing"]}
    assert b"secret_table" not in response.content


@pytest.mark.usefixtures("db", "unread_readiness")
def test_migration_that_did_not_run_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_migrations", lambda: frozenset({("crm", "9999_later")}))
    assert readiness.migration_problems() == ["Migration crm.9999_later has not run."]


def test_flood_of_calls_checks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    readiness.forget_readiness()
    calls: list[int] = []

    def check() -> list[str]:
        calls.append(1)
        return []

    monkeypatch.setattr(readiness, "_checks", lambda: {"one": check})
    for _ in range(10):
        readiness.readiness()
    readiness.forget_readiness()
    assert calls == [1]


def test_docs_are_ours_and_run_no_inline_script(settings: Settings) -> None:
    response = Client().get("/v1/docs")
    page = response.content.decode()
    assert "unsafe-inline" not in response["Content-Security-Policy"]
    assert "http" not in page.replace("https://www.w3.org", "")
    assert "<style" not in page
    assert "<script>" not in page
