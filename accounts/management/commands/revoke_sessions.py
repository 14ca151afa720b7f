"""`manage.py revoke_sessions EMAIL`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.sessions.sign_out import end_sessions_by_staff
from security.identifiers import normalize_email


class Command(BaseCommand):
    """End every session of a user."""

    help = "End every session of a user; access tokens stop working with their next call."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=normalize_email(options["email"])).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        self.stdout.write(f"Ended {end_sessions_by_staff(user)} sessions of {user}.")
