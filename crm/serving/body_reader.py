"""Reads the whole body of a request before anything is decided, locked or timed."""

import io
import threading
from collections.abc import Callable, Iterable
from typing import Any

from crm.serving.arrival_clock import WsgiApplication

# The largest body that is read; crm.settings gives Django the same bound. A longer one is refused
# by its length, unread.
MAX_BODY_BYTES = 1024 * 1024
# How long a request waits while others' bodies are on their way.
WAIT_SECONDS = 2.0
# Set in the WSGI environment of a request whose body was not read; it is answered with 503.
NOT_READ = "crm.body_not_read"


class BodyReader:
    """Reads bodies first, with at most three quarters of the threads at a time.

    SECURITY: who sends headers and keeps the body back holds nothing but a thread: no transaction,
    no lock, no right that may have ended since, and no place in time before a rotation, since
    crm.serving.arrival_clock stands behind this. The other threads go on answering calls without
    a body.
    A proxy that buffers bodies keeps such clients away altogether (docs/operations.md).

    Whose body is `unwelcome`, judged by the WSGI environment, holds not even that: it stays unread.
    """

    def __init__(
        self,
        application: WsgiApplication,
        threads: int,
        unwelcome: Callable[[dict[str, Any]], bool] = lambda environ: False,
    ) -> None:
        self.application = application
        self._is_unwelcome = unwelcome
        self._places = threading.BoundedSemaphore(max(1, threads * 3 // 4))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = _length_of(environ)
        if 0 < length <= MAX_BODY_BYTES and not self._is_unwelcome(environ):
            self._read(environ, length)
        return self.application(environ, start_response)

    def _read(self, environ: dict[str, Any], length: int) -> None:
        body = b""
        if self._places.acquire(timeout=WAIT_SECONDS):
            try:
                body = environ["wsgi.input"].read(length)
            except OSError:
                # The client went away; a body that ended early is refused as such.
                body = b""
            finally:
                self._places.release()
        else:
            environ[NOT_READ] = True
        environ["wsgi.input"] = io.BytesIO(body)


def _length_of(environ: dict[str, Any]) -> int:
    length = environ.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() else 0
