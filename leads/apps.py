"""Django application configuration."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """The `leads` application."""

    name = "leads"
    default_auto_field = "django.db.models.BigAutoField"
