"""`manage.py unblock_address NETWORK`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from security.ip_blocks.models import IpBlock
from security.ip_blocks.networks import NotBlockable, parse_network
from security.ip_blocks.services import unblock_network


class Command(BaseCommand):
    """Lift the block on an address or network."""

    help = "Lift the block on exactly this address or network."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            network = parse_network(options["network"])
            was_blocked = unblock_network(str(network), by="command")
        except NotBlockable as error:
            raise CommandError(str(error)) from error
        # Such as the /64 that a rule blocked for one address in it.
        holding = ", ".join(map(str, IpBlock.objects.active().filter(network__covers=str(network))))
        if was_blocked:
            rest = f" It is still blocked by {holding}." if holding else ""
            self.stdout.write(f"Unblocked {network}.{rest}")
        elif holding:
            raise CommandError(f"{network} is blocked by {holding}: unblock that.")
        else:
            self.stdout.write(f"{network} was not blocked.")
