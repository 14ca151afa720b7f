"""`manage.py maintain_event_partitions`: what the worker does each night."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from security.upkeep import keep_event_partitions


class Command(BaseCommand):
    """Make next months' partitions of the security events, drop those past EVENT_RETENTION."""

    help = "Make partitions of security events ahead and drop those past EVENT_RETENTION."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made, dropped = keep_event_partitions()
        except OperationalError as error:
            reason = str(error).partition("\n")[0]
            raise CommandError(f"Not done, run it again: {reason}") from error
        for verb, names in (("Made", made), ("Dropped", dropped)):
            self.stdout.write(f"{verb}: {', '.join(names) or 'none'}.")
