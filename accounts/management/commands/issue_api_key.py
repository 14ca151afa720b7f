"""`manage.py issue_api_key --team ID --owner EMAIL --name N --scope clients:read …`."""

from collections import defaultdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.team.keys import issue_key_for_member
from crm.api.errors import ApiError
from crm.db.tenancy import command_context


class Command(BaseCommand):
    """Issue an API key."""

    help = "Issue an API key. It is printed once and stored nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", required=True, help="the team's id")
        parser.add_argument("--owner", required=True, help="a member's email address")
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--scope",
            action="extend",
            nargs="+",
            required=True,
            metavar="RESOURCE:ACTION",
            dest="scopes",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with command_context("issue_api_key"):
                issued = issue_key_for_member(
                    team_id=options["team"],
                    owner_email=options["owner"],
                    name=options["name"],
                    scopes=parse_scope_arguments(options["scopes"]),
                )
        except ApiError as error:
            details = "; ".join(map(str, (error.details or {}).values()))
            raise CommandError(f"{error.message} {details}".strip()) from error
        self.stderr.write(f"Key id {issued.api_key.key_id}, ends {issued.api_key.expires_at:%F}.")
        self.stdout.write(issued.written)


def parse_scope_arguments(arguments: list[str]) -> dict[str, list[str]]:
    """Return {resource: [actions]} of arguments such as `clients:read`."""
    scopes: dict[str, list[str]] = defaultdict(list)
    for argument in arguments:
        resource, separator, action = argument.partition(":")
        if not separator:
            raise CommandError(f"{argument!r} is not RESOURCE:ACTION, such as clients:read.")
        scopes[resource].append(action)
    return dict(scopes)
