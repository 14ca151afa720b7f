"""Looking new passwords up among breached ones, without telling them to anybody."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.models import User
from accounts.passwords import breaches, policy
from accounts.passwords.breaches import is_breached
from accounts.passwords.policy import password_problems
from accounts.tests.conftest import ChangeEnv
from security.events.types import EventType
from security.tests.events import stored_events

PHRASE = "sturdy plum song"
DIGEST = hashlib.sha1(PHRASE.encode(), usedforsecurity=False).hexdigest().upper()
Serve = Callable[..., list[Any]]


class List:
    """The breach list's server, and what it was asked."""

    status = 200

    def __init__(self, asked: list[Any], lines: list[str], status: int) -> None:
        self.asked, self.status = asked, status
        self.chunks: Iterator[bytes] = iter(["\r\n".join(lines).encode(), b""])

    def __call__(self, host: str, timeout: float) -> "List":
        self.asked.append((host, timeout))
        return self

    def request(self, *request: Any, headers: dict[str, str]) -> None:
        self.asked.append((*request, headers))

    def getresponse(self) -> "List":
        return self

    def read(self, _: int) -> bytes:
        return next(self.chunks)

    def close(self) -> None:
        self.asked.append("closed")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Answer these lines; return what is asked."""

    def answer(*lines: str, status: int = 200) -> list[Any]:
        asked: list[Any] = []
        monkeypatch.setattr(breaches, "HTTPSConnection", List(asked, list(lines), status))
        return asked

    return answer


def test_five_digits_of_a_hash_are_all_that_is_told(serve: Serve) -> None:
    asked = serve(f"{'0' * 35}:7", f"{DIGEST[5:]}:2")
    assert is_breached(PHRASE)
    headers = {"Add-Padding": "true", "User-Agent": "crm"}
    assert asked == [
        ("api.pwnedpasswords.com", 1.0),
        ("GET", f"/range/{DIGEST[:5]}", headers),
        "closed",
    ]


def test_padding_and_other_hashes_are_no_breach(serve: Serve) -> None:
    serve(f"{DIGEST[5:]}:0", f"{'0' * 35}:7", "no line of this form")
    assert not is_breached(PHRASE)


def test_nobody_is_asked_unless_it_is_switched_on(serve: Serve, change_env: ChangeEnv) -> None:
    asked = serve(f"{DIGEST[5:]}:2")
    user = User(email="ann@example.com")
    assert password_problems(PHRASE, user=user) == []
    assert asked == []
    change_env(policy, password_breach_check=True)
    assert password_problems(PHRASE, user=user) == ["This password has appeared in a data breach."]


def test_a_list_that_refuses_is_passed_and_leaves_an_event(db: None, serve: Serve) -> None:
    serve(f"{DIGEST[5:]}:2", status=503)
    assert not is_breached(PHRASE)
    (event,) = stored_events(EventType.BREACH_CHECK_FAILED)
    assert event.metadata == {"reason": "BreachListFailed"}


def test_a_list_without_an_end_is_not_read_to_it(
    db: None, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaches, "_MOST_BYTES", 30)
    serve(f"{DIGEST[5:]}:2")
    assert not is_breached(PHRASE)
    assert len(stored_events(EventType.BREACH_CHECK_FAILED)) == 1


def test_a_list_that_hangs_is_waited_for_a_second_at_most(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert breaches.SECONDS == 1.0
    monkeypatch.setattr(breaches, "SECONDS", 0.05)
    goes_on = threading.Event()
    monkeypatch.setattr(breaches, "read_range", lambda _: str(goes_on.wait(5)))
    assert not is_breached(PHRASE)
    goes_on.set()
    (event,) = stored_events(EventType.BREACH_CHECK_FAILED)
    assert event.metadata == {"reason": "TimeoutError"}
