"""Authenticator apps and passkeys of people. They are taken away on the page of users."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Passkey, TotpDevice
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


@admin.register(Passkey)
class PasskeyPage(ReadOnlyPage):
    """Who has a passkey, and when it was used."""

    list_display = ("user", "name", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "name")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = list_display
