"""Django application configuration."""

from django.apps import AppConfig


class SecurityConfig(AppConfig):
    """The `security` application."""

    name = "security"
    default_auto_field = "django.db.models.BigAutoField"
