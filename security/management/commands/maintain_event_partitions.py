"""`manage.py maintain_event_partitions`, each night."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from crm.db.owner import as_owner
from security.events.retention import drop_old_events, make_event_partitions


class Command(BaseCommand):
    """Make next months' partitions of the security events, drop those past EVENT_RETENTION."""

    help = "Make partitions of security events ahead and drop those past EVENT_RETENTION."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with as_owner():
                made, dropped = make_event_partitions(), drop_old_events()
        except OperationalError as error:
            reason = str(error).partition("\n")[0]
            raise CommandError(f"Not done, run it again: {reason}") from error
        for verb, names in (("Made", made), ("Dropped", dropped)):
            self.stdout.write(f"{verb}: {', '.join(names) or 'none'}.")
