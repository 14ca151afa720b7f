"""`manage.py seal_audit [--team ID]`."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from security.audit.chain import UnknownKey
from security.audit.heads import BrokenChain
from security.audit.sealer import seal_all


class Command(BaseCommand):
    """Link finished entries of the audit trail into the chain. Run it every minute."""

    help = "Link finished entries of the audit trail into their team's chain."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", type=uuid.UUID, help="the team's id; all when left out")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sealed = seal_all(team_id=options["team"], on_batch=self._show)
        except (BrokenChain, UnknownKey) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Entries sealed: {sealed}.")

    def _show(self, count: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"  {count} …")
