"""Fixtures of the tests of people and their sign-ins."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from accounts.passwords.hashers import Argon2idHasher
from accounts.sessions import refresh

ChangeEnv = Callable[..., None]


@pytest.fixture(autouse=True)
def no_gathering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decide on a refresh at once: one caller at a time has nobody to wait for."""
    monkeypatch.setattr(refresh, "GATHER_SECONDS", 0)


@pytest.fixture
def change_env(monkeypatch: pytest.MonkeyPatch) -> ChangeEnv:
    """Give a module other values of the environment: `change_env(refresh, name=value)`."""

    def change(module: Any, **values: Any) -> None:
        monkeypatch.setattr(module, "env", dataclasses.replace(module.env, **values))

    return change


@pytest.fixture
def argon2_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note each argon2 hash that is computed, as `encode` or `verify`; clear it after preparing."""
    calls: list[str] = []
    for name in ("encode", "verify"):
        work = getattr(Argon2idHasher, name)

        def noted(self: Any, *args: Any, work: Any = work, name: str = name) -> Any:
            calls.append(name)
            return work(self, *args)

        monkeypatch.setattr(Argon2idHasher, name, noted)
    return calls
