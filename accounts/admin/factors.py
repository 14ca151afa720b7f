"""Authenticator apps of people. They are taken away on the page of users."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import TotpDevice
from security.admin.pages import ReadOnlyPage


@admin.register(TotpDevice)
class TotpDevicePage(ReadOnlyPage):
    """Who has an app, and since when. SECURITY: the seed is on no page, encrypted or not."""

    secret_fields = ("encrypted_seed", "last_step")
    list_display = ("user", "confirmed", "created_at", "confirmed_at")
    list_filter = ("confirmed",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("encrypted_seed")
