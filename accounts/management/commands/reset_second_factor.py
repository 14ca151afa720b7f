"""`manage.py reset_second_factor EMAIL`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.factors.second_factor import reset_second_factor
from accounts.models import User


class Command(BaseCommand):
    """Take away the second factor of somebody who lost it."""

    help = "Take away the second factor of somebody who lost it; all their sessions end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(options["email"])
        except User.DoesNotExist as error:
            raise CommandError("Nobody has this address.") from error
        if not reset_second_factor(user_id=user.pk):
            raise CommandError(f"{user.email} has no second factor.")
        self.stdout.write(f"The second factor of {user.email} was taken away.")
