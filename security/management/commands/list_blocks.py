"""`manage.py list_blocks [--json]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.api import json
from security.ip_blocks.models import IpBlock


class Command(BaseCommand):
    """Print the blocks that are in force, the latest first."""

    help = "Print the blocked addresses and networks, the latest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON list")

    def handle(self, *args: Any, **options: Any) -> None:
        blocks: list[IpBlock] = list(IpBlock.objects.active())
        if options["json"]:
            self.stdout.write(json.dumps([_facts(block) for block in blocks]).decode())
            return
        for block in blocks:
            self.stdout.write(f"{block}  {block.end}  by {block.blocked_by}  {block.reason}")
        if not blocks:
            self.stdout.write("No address is blocked.")


def _facts(block: IpBlock) -> dict[str, object]:
    return {
        "network": str(block),
        "blockedUntil": block.blocked_until,
        "blockedBy": block.blocked_by,
        "reason": block.reason,
        "createdAt": block.created_at,
    }
