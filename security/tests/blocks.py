"""Fixtures of blocked addresses."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crm.env import env
from crm.env.parsers import networks
from security.ip_blocks.matcher import block_list

SetExempt = Callable[..., None]


@pytest.fixture
def fresh_block_list(counter_connections: None) -> Iterator[None]:
    """Let what a test reads into the block list be forgotten behind it."""
    yield
    block_list.stop()


@pytest.fixture
def set_exempt(monkeypatch: pytest.MonkeyPatch) -> SetExempt:
    """Exempt networks as the environment would: `set_exempt(trusted_proxies="10.0.0.0/8")`."""

    def set_exempt(**lists: str) -> None:
        parsed: Any = {name: networks(text) for name, text in lists.items()}
        changed = dataclasses.replace(env, **parsed)
        monkeypatch.setattr("security.ip_blocks.networks.env", changed)

    return set_exempt
