"""Bodies are read first, and clients that keep theirs back hold up most of the threads, not all."""

import io
import threading
from typing import Any

import pytest

from crm.serving.body_reader import MAX_BODY_BYTES, NOT_READ, BodyReader


class ParkedBody:
    """A body that never comes, until the test lets it."""

    def __init__(self) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()

    def read(self, length: int) -> bytes:
        self.asked.set()
        self.let_go.wait(10)
        return b"x" * length


class LostBody:
    """The body of a client that went away."""

    def read(self, length: int) -> bytes:
        raise ConnectionResetError


def seen_by_application(body: Any, length: str, reader: BodyReader | None = None) -> dict[str, Any]:
    environ: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": length}
    (reader or BodyReader(lambda environ, start: [], threads=1))(environ, None)
    return environ


def test_body_is_read_before_the_application() -> None:
    body = io.BytesIO(b"{}")
    environ = seen_by_application(body, "2")
    assert (body.read(), environ["wsgi.input"].read()) == (b"", b"{}")


def test_body_that_is_too_large_stays_unread() -> None:
    body = io.BytesIO(b"{}")
    assert seen_by_application(body, str(MAX_BODY_BYTES + 1))["wsgi.input"] is body


def test_odd_length_reads_nothing() -> None:
    body = io.BytesIO(b"{}")
    for length in ("", "-1", "two", "²"):
        assert seen_by_application(body, length)["wsgi.input"] is body


def test_unwelcome_body_stays_unread() -> None:
    body = io.BytesIO(b"{}")
    reader = BodyReader(lambda environ, start: [], threads=1, unwelcome=lambda environ: True)
    assert seen_by_application(body, "2", reader)["wsgi.input"] is body


def test_client_that_went_away_sent_nothing() -> None:
    assert seen_by_application(LostBody(), "2")["wsgi.input"].read() == b""


def test_parked_bodies_leave_the_other_threads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = BodyReader(lambda environ, start: [], threads=1)
    parked = ParkedBody()
    holder = threading.Thread(target=seen_by_application, args=(parked, "2", reader))
    holder.start()
    assert parked.asked.wait(5)
    monkeypatch.setattr("crm.serving.body_reader.WAIT_SECONDS", 0.05)
    assert NOT_READ not in seen_by_application(io.BytesIO(b""), "0", reader)
    assert seen_by_application(io.BytesIO(b"{}"), "2", reader)[NOT_READ]
    parked.let_go.set()
    holder.join(5)
    assert NOT_READ not in seen_by_application(io.BytesIO(b"{}"), "2", reader)
