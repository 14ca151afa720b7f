"""The worker beside the web server: kept running until the web server stops."""

import logging
import os
import subprocess
import sys
import threading

from crm.env import PROJECT_DIR

logger = logging.getLogger("crm.worker")

# Longer than the worker lets its jobs end (crm.jobs.worker).
STOP_SECONDS = 10
RESTART_SECONDS = 3.0
WITH_PARENT = "--with-parent"


class WorkerProcess:
    """Keeps one `manage.py worker` running until `stop`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        # A daemon: Linux counts the end of the thread that made a child as the end of the parent,
        # and the worker ends with its parent.
        self._thread = threading.Thread(target=self._keep_running, daemon=True)

    def start(self) -> None:
        """Start the worker; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the worker and wait until it has ended."""
        self._stopping.set()
        self._thread.join()

    def _keep_running(self) -> None:
        while not self._stopping.is_set():
            process = subprocess.Popen(
                [sys.executable, "manage.py", "worker", WITH_PARENT, str(os.getpid())],
                cwd=PROJECT_DIR,
                # A terminal's Ctrl-C reaches the parent only, which then stops the worker.
                start_new_session=True,
            )
            while process.poll() is None and not self._stopping.wait(0.2):
                pass
            if not self._stopping.is_set():
                logger.error("The worker ended with status %s; starting it again.", process.wait())
                self._stopping.wait(RESTART_SECONDS)
            else:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # Safe: a job that is broken off runs again.
        process.kill()
        process.wait()
