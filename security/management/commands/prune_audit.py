"""`manage.py prune_audit`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from security.audit.chain import UnknownKey
from security.audit.heads import BrokenChain
from security.upkeep import prune_audit_trail


class Command(BaseCommand):
    """Take entries older than AUDIT_RETENTION out of the trail; the chain stays provable."""

    help = "Delete sealed audit entries older than AUDIT_RETENTION."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            taken = prune_audit_trail()
        except (BrokenChain, UnknownKey) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Entries deleted: {taken}.")
