"""What `manage.py check` says about a system whose protections are off."""

import dataclasses
from typing import Any

import pytest

from crm.env import env
from security import checks


def set_env(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    changed: Any = dataclasses.replace(env, **changes)
    monkeypatch.setattr(checks, "env", changed)


def test_nothing_is_said_when_all_is_on() -> None:
    assert checks.check_protections() == []


@pytest.mark.parametrize("name", ["enable_token_rotation", "enable_theft_detection"])
def test_a_protection_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    set_env(monkeypatch, **{name: False})
    found = checks.check_protections()
    assert [message.id for message in found] == ["crm.W001"]
    assert name.upper() in found[0].msg
    set_env(monkeypatch, **{name: False, "debug": True})
    assert checks.check_protections() == []


def test_the_database_is_asked_only_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "isolation_problems", lambda: ["Table x: open."])
    assert checks.check_isolation(databases=None) == []
    found = checks.check_isolation(databases=["default"])
    assert [(message.id, message.msg) for message in found] == [("crm.E001", "Table x: open.")]
