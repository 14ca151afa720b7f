"""A pytest plugin: password hashes cost a millisecond, except where a test is about their cost."""

from collections.abc import Iterator

import pytest

from accounts.passwords.hashers import Argon2idHasher

REAL_COST = {"memory_cost": Argon2idHasher.memory_cost, "time_cost": Argon2idHasher.time_cost}


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Make the hasher cheap for the run; servers that tests start are as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2idHasher, "memory_cost", 64)
        patch.setattr(Argon2idHasher, "time_cost", 1)
        yield


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the hasher cost what it costs in earnest."""
    for name, value in REAL_COST.items():
        monkeypatch.setattr(Argon2idHasher, name, value)
