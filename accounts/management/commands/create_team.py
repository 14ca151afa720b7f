"""`manage.py create_team NAME --admin-email E`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.management.passwords import read_password, refusal_of
from accounts.models import User
from accounts.team.teams import create_team
from crm.api.errors import ApiError
from crm.db.tenancy import command_context
from security.identifiers import normalize_email


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
            raise refusal_of(error) from error
        self.stdout.write(f"Team {made.team.pk} ({made.team.name}), admin {made.membership.user}")
        if is_known:
            self.stdout.write("The account existed before; its password is unchanged.")
