"""Puts the staff site in the place of Django's default admin site."""

from django.apps import apps
from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """`django.contrib.admin` with `accounts.admin_site.StaffSite` as `admin.site`."""

    default_site = "accounts.admin_site.StaffSite"

    def ready(self) -> None:
        """Name the part of the sign-in guard for people who do not know its package."""
        apps.get_app_config("axes").verbose_name = "Sign-in guard"
        super().ready()
