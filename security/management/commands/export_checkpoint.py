"""`manage.py export_checkpoint`."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from security.audit.chain import UnknownKey
from security.audit.checkpoints import make_checkpoint
from security.audit.heads import BrokenChain


class Command(BaseCommand):
    """Print the signed heads of all chains; keep them where the database's keeper cannot write."""

    help = "Print the signed heads of the audit trail as JSON, for verify_audit --from-checkpoint."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(json.dumps(make_checkpoint()))
        except (BrokenChain, UnknownKey) as error:
            raise CommandError(str(error)) from error
