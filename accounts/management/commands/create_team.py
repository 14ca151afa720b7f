"""`manage.py create_team NAME --admin-email E`."""

import getpass
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.flows.teams import create_team
from accounts.models import User
from crm.api.errors import ApiError
from crm.db.tenancy import command_context
from security.identifiers import normalize_email

PASSWORD_VARIABLE = "CRM_PASSWORD"  # noqa: S105 (a variable's name)


class Command(BaseCommand):
    """Make a team with its first admin."""

    help = "Make a team with its first admin. The password is asked for, or read from CRM_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--admin-email", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["admin_email"]
        is_known = User.objects.filter(email=normalize_email(email)).exists()
        password = None if is_known else read_password()
        try:
            with command_context("create_team"):
                made = create_team(name=options["name"], admin_email=email, password=password)
        except ApiError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Team {made.team.pk} ({made.team.name}), admin {made.membership.user}")
        if is_known:
            self.stdout.write("The account existed before; its password is unchanged.")


def read_password() -> str:
    """Return the password of CRM_PASSWORD, or ask for it twice on a terminal."""
    password = os.environ.get(PASSWORD_VARIABLE)
    if password:
        return password
    if not sys.stdin.isatty():
        raise CommandError(f"Set {PASSWORD_VARIABLE}, or run this on a terminal.")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Password again: "):
        raise CommandError("The passwords differ.")
    return password
