"""`manage.py migrate` as the role that owns the tables."""

from typing import Any

from django.core.management.commands import migrate

from crm.db.owner import as_owner


class Command(migrate.Command):
    """Run Django's own migrate on the owner's connection."""

    def get_check_kwargs(self, options: dict[str, Any]) -> dict[Any, Any]:
        """Check nothing of the database itself beforehand.

        The check of isolation would refuse the very migration that closes an open table.
        """
        checks: dict[Any, Any] = super().get_check_kwargs(options)
        return checks | {"databases": []}

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate the database of option `database`."""
        with as_owner(options["database"]):
            super().handle(*args, **options)
