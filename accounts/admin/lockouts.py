"""Failed sign-ins, as the guard counts them."""

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.http import HttpRequest

from accounts.flows.password_check import unlock_account
from security.admin.pages import ReadOnlyPage, is_superuser


@admin.register(AccessAttempt)
class LockoutPage(ReadOnlyPage):
    """Look at failures; to delete one unlocks its address."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "path_info")
    list_filter = ("path_info",)
    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"
    ordering = ("-attempt_time",)
    # What was typed into the form stays out of sight; people put passwords into wrong fields.
    fields = (*list_display, "user_agent")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        unlock_account(obj.username)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for username in queryset.values_list("username", flat=True).distinct():
            unlock_account(username)
