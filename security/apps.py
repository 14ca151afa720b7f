"""Django application configuration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from crm.db.grants import grant_application_role
from security import checks
from security.events.retention import make_event_partitions


class SecurityConfig(AppConfig):
    """How a request is judged: keys, rights, limits, and the checks at the start."""

    name = "security"
    default_auto_field = "django.db.models.BigAutoField"
    system_checks = checks

    def ready(self) -> None:
        """After each migrate, make partitions and grant the application role its rights."""
        post_migrate.connect(make_event_partitions, sender=self)
        post_migrate.connect(grant_application_role, sender=self)
