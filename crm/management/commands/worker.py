"""`manage.py worker [--once]`."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.child_process import tie_to_parent
from crm.jobs.worker import run_worker


class Command(BaseCommand):
    """Run background work: mails, periodic jobs. `make run` starts it beside the web server."""

    help = "Run background jobs until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when the queue is empty")
        parser.add_argument("--with-parent", type=int, metavar="PID", help="end with this caller")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["with_parent"] is not None:
            # At once: the queue is made for workers that are killed.
            tie_to_parent(signal.SIGKILL, options["with_parent"])
        run_worker(wait=not options["once"])
