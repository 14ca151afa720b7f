"""`manage.py block_address NETWORK [--for 24h] [--reason TEXT]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.env.parsers import duration
from security.ip_blocks.networks import NotBlockable
from security.ip_blocks.services import block_network


class Command(BaseCommand):
    """Block an address or network; one that is blocked already is blocked longer."""

    help = "Refuse the requests of an address or network. Servers follow within five seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", help="such as 203.0.113.7 or 2001:db8:1:2::/64")
        parser.add_argument(
            "--for",
            dest="duration",
            type=duration,
            metavar="DURATION",
            help="such as 30m, 24h or 7d; left out, until unblock_address",
        )
        parser.add_argument("--reason", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            block = block_network(
                options["network"],
                by="command",
                reason=options["reason"],
                duration=options["duration"],
            )
        except NotBlockable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Blocked {block} {block.end}.")
