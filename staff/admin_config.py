"""Puts the staff site in the place of Django's default admin site."""

from django.apps import apps
from django.contrib.admin.apps import AdminConfig

HEADINGS = {
    "accounts": "People and teams",
    "security": "Security",
    "axes": "Sign-in guard",
}


class StaffAdminConfig(AdminConfig):
    """`django.contrib.admin` with `staff.site.StaffSite` as `admin.site`."""

    default_site = "staff.site.StaffSite"

    def ready(self) -> None:
        """Name the parts for people who do not know the packages behind them."""
        for label, name in HEADINGS.items():
            apps.get_app_config(label).verbose_name = name
        super().ready()
