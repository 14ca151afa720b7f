"""`manage.py changepassword EMAIL`, in place of Django's, which ends no session."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management.passwords import read_password, refusal_of
from accounts.models import User
from accounts.passwords.changes import replace_password
from accounts.passwords.policy import require_strong_password
from crm.api.errors import WeakPassword
from crm.db.tenancy import command_context
from security.identifiers import normalize_email


class Command(BaseCommand):
    """Set a user's password and end their sessions."""

    help = "Set a user's password and end their sessions. It is asked for, or in CRM_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=normalize_email(options["email"])).first()
        if user is None:
            raise CommandError(f"Nobody has the address {options['email']}.")
        password = read_password()
        try:
            require_strong_password(password, user=user)
        except WeakPassword as error:
            raise refusal_of(error) from error
        with command_context("changepassword"):
            replace_password(user=user, password=password)
        self.stdout.write(f"Password of {user.email} changed, sessions ended.")
