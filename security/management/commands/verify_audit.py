"""`manage.py verify_audit [--team ID] [--from-checkpoint FILE] [--unsealed-after 1h]`."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from crm.env.parsers import duration_or_zero
from security.audit.checkpoints import BadCheckpoint, Heads, read_checkpoint
from security.audit.models import AuditVerification
from security.audit.verifier import Verified, verify


class Command(BaseCommand):
    """Prove the audit trail; exit with 1 and name each place where it is not as it was sealed."""

    help = "Prove that the audit trail is whole. Exits with 1 and names the places if it is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", type=uuid.UUID, help="the team's id; all when left out")
        parser.add_argument(
            "--from-checkpoint", type=Path, metavar="FILE", help="what export_checkpoint printed"
        )
        parser.add_argument(
            "--unsealed-after",
            type=duration_or_zero,
            default=timedelta(hours=1),
            metavar="DURATION",
            help="age at which an entry must be sealed; 1h when left out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = verify(
            team_id=options["team"],
            checkpoint=_read(options["from_checkpoint"]),
            unsealed_after=options["unsealed_after"],
            on_progress=self._show,
        )
        if options["team"] is None:
            self._remember(found)
        for problem in found.problems:
            self.stderr.write(problem)
        if found.problems:
            raise CommandError(f"The audit trail is broken: problems: {len(found.problems)}.")
        self.stdout.write(f"The audit trail is whole: {found.entries} sealed entries.")

    def _remember(self, found: Verified) -> None:
        """Keep what was found for the security page; a copy that is only read keeps nothing."""
        try:
            AuditVerification.objects.create(entries=found.entries, problems=len(found.problems))
        except DatabaseError as error:
            self.stderr.write(f"Not noted for the security page: {error}".strip())

    def _show(self, count: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(".", ending="")


def _read(path: Path | None) -> Heads | None:
    if path is None:
        return None
    try:
        return read_checkpoint(path.read_bytes())
    except (BadCheckpoint, OSError) as error:
        raise CommandError(f"{path}: {error}") from error
