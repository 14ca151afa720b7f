"""Django application configuration."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """The admin of staff."""

    name = "staff"
