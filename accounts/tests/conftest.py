"""Fixtures of the tests of people and their sign-ins."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from accounts.flows import refresh

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
