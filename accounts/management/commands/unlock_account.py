"""`manage.py unlock_account EMAIL`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.guards.password_check import unlock_account


class Command(BaseCommand):
    """Forget the failed sign-ins on an address."""

    help = "Forget the failed sign-ins on an address, so that its owner can sign in at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        had_failures = unlock_account(options["email"])
        outcome = "Unlocked" if had_failures else "No failures counted on"
        self.stdout.write(f"{outcome} {options['email']}.")
