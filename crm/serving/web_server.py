"""The web server: granian in front of `crm.wsgi:application`."""

import copy
import logging
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from granian.constants import Interfaces
from granian.log import LOGGING_CONFIG, LogLevels
from granian.server.mp import MPServer

from crm.child_process import tie_to_parent
from crm.env import env
from crm.logging_setup import CarefulFormatter

# Granian counts connections here, and browsers keep theirs open while they are idle. How many
# requests run at once is the number of threads.
CONNECTIONS = 1024
STOP_SECONDS = 10
# SECURITY: no query string and no header; both may hold a token.
ACCESS_LOG_FORMAT = '%(time)s %(addr)s "%(method)s %(path)s" %(status)d %(dt_ms).1f ms'


class OneLineFormatter(CarefulFormatter):
    """Escapes what is not printable ASCII, and takes credentials out.

    SECURITY: granian decodes the path; a line break in it would forge a line of the log.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        return super().format(record).encode("unicode_escape").decode("ascii")


class WebServer(MPServer):
    """Serves until SIGINT, SIGTERM or SIGHUP. Its workers do not outlive it."""

    def __init__(self) -> None:
        super().__init__(
            "crm.wsgi:application",
            address=env.host,
            port=env.port,
            interface=Interfaces.WSGI,
            workers=env.web_processes,
            blocking_threads=env.web_threads,
            backpressure=CONNECTIONS,
            # Its notes of lower levels comment on the number of threads, which is meant.
            log_level=LogLevels.error,
            log_dictconfig=log_configuration(),
            log_access=True,
            log_access_format=ACCESS_LOG_FORMAT,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_SECONDS,
        )

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """Stop at SIGHUP: the terminal is gone."""
        self.stop()

    def stop(self) -> None:
        """Stop from any thread, as SIGINT does."""
        self.interrupt_signal = True
        self.main_loop_interrupt.set()

    def serve_until_stopped(self) -> None:
        """Serve. Raises SystemExit(1) when the workers keep failing."""
        # A forked worker would share this process's database connections and locks.
        multiprocessing.set_start_method("spawn", force=True)
        self.serve(target_loader=load_application)


def log_configuration() -> dict[str, Any]:
    """Return granian's own configuration with safe formatters."""
    configuration: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    configuration["formatters"]["access"] = {"()": OneLineFormatter}
    configuration["formatters"]["generic"]["()"] = CarefulFormatter
    return configuration


def load_application(target: str) -> Callable[..., Any]:
    """Load the application in a worker process that ends with its parent."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        tie_to_parent(signal.SIGKILL, parent.pid)
        # A terminal's Ctrl-C must reach the parent only, which then stops its workers. Granian's
        # worker hangs when it gets both.
        os.setpgid(0, 0)
    module_name, _, name = target.partition(":")
    module = __import__(module_name, fromlist=[name])
    application: Callable[..., Any] = getattr(module, name)
    return application


def ensure_port_is_free() -> None:
    """Raise OSError when somebody listens on the port.

    Granian sets SO_REUSEPORT: two servers would share the port and answer in turns.
    """
    family = socket.AF_INET6 if ":" in env.host else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":  # Connections of an earlier server that linger are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((env.host, env.port))
        except OSError as error:
            reason = f"Cannot listen on {env.host}:{env.port}: {error.strerror}. Set PORT."
            raise OSError(reason) from error
