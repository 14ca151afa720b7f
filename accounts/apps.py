"""Django application configuration."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The `accounts` application."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
