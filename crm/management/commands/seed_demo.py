"""`manage.py seed_demo [--json] [--force]`."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.db.tenancy import command_context
from crm.demo.seed import seed_demo
from crm.env import env


class Command(BaseCommand):
    """Load two demo teams with people, keys, clients and leads; running twice changes nothing."""

    help = "Load demo data. Running it again makes what is missing and tells the sign-ins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--force", action="store_true", help="also when DEBUG is off")

    def handle(self, *args: Any, **options: Any) -> None:
        if not env.debug and not options["force"]:
            raise CommandError("DEBUG is off: this looks like production. Use --force if not.")
        with command_context("seed_demo"):
            seeded = seed_demo()
        if options["json"]:
            self.stdout.write(json.dumps(seeded))
            return
        for team in seeded["teams"]:
            self.stdout.write(f"{team['name']} ({team['id']})")
            for user in team["users"]:
                self.stdout.write(f"  {user['role']:<11} {user['email']}  {user['password']}")
            for key in team["api_keys"]:
                self.stdout.write(f"  API key     {key['name']}  {key['key']}")
        superuser = seeded["superuser"]
        self.stdout.write(f"Admin         {superuser['email']}  {superuser['password']}")
