"""`manage.py revoke_api_key KEY_ID`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.db.tenancy import command_context
from security.api_keys.services import revoke_key
from security.models import ApiKey


class Command(BaseCommand):
    """Revoke an API key."""

    help = "Revoke an API key for good. KEY_ID is the part after crm_."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key_id")

    def handle(self, *args: Any, **options: Any) -> None:
        key_id = options["key_id"].removeprefix("crm_").partition("_")[0]
        api_key = ApiKey.objects.filter(key_id=key_id).first()
        if api_key is None:
            raise CommandError(f"There is no key with the id {key_id!r}.")
        with command_context("revoke_api_key"):
            revoke_key(api_key=api_key)
        self.stdout.write(f"Revoked {api_key}.")
