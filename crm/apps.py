"""Django application configuration."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CrmConfig(AppConfig):
    """The `crm` application."""

    name = "crm"

    def ready(self) -> None:
        """Load every kind of mail and every periodic job before the job queue collects jobs."""
        autodiscover_modules("mails", "schedule")
