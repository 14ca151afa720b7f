"""Calling a WSGI application in this process, and counting what goes over the wire."""

import io
import json
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import connection


class Answer(NamedTuple):
    """What an application answered."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.body)


class Call(NamedTuple):
    """One kind of call and the status it answers."""

    action: Callable[[], Answer]
    status: int = 200


class Measured(NamedTuple):
    """Times of one kind of call."""

    seconds: list[float]

    def percentile(self, share: float) -> float:
        """Return the time below which a share of the calls stayed, in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    @property
    def rate(self) -> float:
        """Calls in a second, from the median: the mean tells more of the machine."""
        return 1000 / self.percentile(0.5)


def call(application: Any, method: str, path: str, *, body: Any = None, **headers: str) -> Answer:
    """Send one request through a WSGI application."""
    answer: dict[str, Any] = {}

    def start_response(status: str, response_headers: list[tuple[str, str]]) -> None:
        answer["status"] = int(status.split()[0])
        answer["headers"] = dict(response_headers)

    path, _, query = path.partition("?")
    payload = b"" if body is None else json.dumps(body).encode()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(payload)),
        "wsgi.input": io.BytesIO(payload),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    response = application(environ, start_response)
    content = b"".join(response)
    response.close()
    return Answer(answer["status"], content, answer["headers"])


def timed(action: Callable[[], Answer], *, status: int) -> float:
    """Return the seconds that a call took; raises when it did not answer as it should."""
    started = time.perf_counter()
    answer = action()
    seconds = time.perf_counter() - started
    if answer.status != status:
        raise RuntimeError(f"answered {answer.status}: {answer.body[:300]!r}")
    return seconds


def statements_of(action: Callable[[], Answer]) -> list[str]:
    """Return the statements that a call sends, BEGIN and COMMIT too, from libpq's trace."""
    pgconn = connection.connection.pgconn
    with tempfile.TemporaryFile("w+") as trace:
        pgconn.trace(trace.fileno())
        action()
        pgconn.untrace()
        trace.seek(0)
        lines = trace.read().splitlines()
    return [
        line for line in lines if "\tF\t" in line and ("\tQuery\t" in line or "\tExecute" in line)
    ]
