"""Children that do not outlive their parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn` that has the child get `death_signal` when its parent ends, however.

    Only Linux can do this. The kernel counts the end of the thread that made the child as the end
    of the parent: call from the main thread.
    """
    if sys.platform != "linux":
        return lambda: None
    # Loaded before the fork: the child must not wait for a lock that another thread held then.
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def set_death_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # It ended before the call above.
            os._exit(1)

    return set_death_signal


def tie_to_parent(death_signal: signal.Signals, parent: int) -> None:
    """Have this process get `death_signal` when the process `parent` ends. Linux only."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:  # It ended before the call above.
        os.kill(os.getpid(), death_signal)
