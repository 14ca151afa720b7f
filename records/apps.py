"""Django application configuration."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """What every record of a team has."""

    name = "records"
