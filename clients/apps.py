"""Django application configuration."""

from django.apps import AppConfig


class ClientsConfig(AppConfig):
    """The `clients` application."""

    name = "clients"
    default_auto_field = "django.db.models.BigAutoField"
