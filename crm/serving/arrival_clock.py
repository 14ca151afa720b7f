"""When a request arrived, as far as the application can know."""

import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]

# A thread that came free takes the next waiting request at once, but then waits for the
# interpreter: 5 ms (sys.getswitchinterval) for each other thread that computes, some at a time.
# SECURITY: for this long after a crowd, a replay is believed to have waited in it.
PICK_UP_SECONDS = 0.05
# SECURITY: whoever can keep all threads busy can stretch what counts as "at once" to this, no more.
LONGEST_WAIT_SECONDS = 2.0


class ArrivalClock:
    """Notes when a request arrived, before anything else runs.

    SECURITY: the refresh flow tells a second tab from a thief by this time. Whatever comes later
    in a request waits for the interpreter or a lock. While all threads are busy, requests wait for
    one where no clock sees them: who then gets a thread may have come at any time since the last
    thread was taken, and is believed to have. A thief gains that much on a server that is
    overrun; his token's next use still gives him away.
    """

    def __init__(self, application: WsgiApplication, threads: int) -> None:
        self.application = application
        self._lock = threading.Lock()
        self._free = threads
        self._crowded_since: float | None = None
        self._crowded_until = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["crm.arrived_at"] = self._enter(time.time())
        try:
            return self.application(environ, start_response)
        finally:
            self._leave()

    def _enter(self, now: float) -> float:
        """Take a thread; return the earliest time at which its request can have come."""
        with self._lock:
            if now > self._crowded_until + PICK_UP_SECONDS:
                self._crowded_since = None
            arrived_at = now
            if self._crowded_since is not None:
                arrived_at = max(self._crowded_since, now - LONGEST_WAIT_SECONDS)
            self._free -= 1
            if self._free <= 0:
                self._crowded_since = self._crowded_since or now
                self._crowded_until = math.inf
            return arrived_at

    def _leave(self) -> None:
        with self._lock:
            self._free += 1
            if self._free > 0 and self._crowded_until == math.inf:
                self._crowded_until = time.time()
