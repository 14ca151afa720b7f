"""`manage.py security_report [--days N] [--json]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.api import json
from security.access.all_teams import all_teams
from security.report.figures import MOST_DAYS, security_report
from security.report.text import report_lines

NAME = "manage.py security_report"


class Command(BaseCommand):
    """Print what the security page of the admin shows."""

    help = "Print sign-ins, failures, locks, blocks, keys about to end and the audit trail's state."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=7, help=f"1 to {MOST_DAYS}; 7 if left out")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days must be between 1 and {MOST_DAYS}.")
        with all_teams(reason=f"security report, {days} days", actor_id="", actor_label=NAME):
            report = security_report(days)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json()).decode())
            return
        for line in report_lines(report):
            self.stdout.write(line)
