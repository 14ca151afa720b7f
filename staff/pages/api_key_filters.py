"""Filters of the list of API keys."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

ENDS_SOON = timedelta(days=30)
Lookups = list[tuple[str, str]]


class KeyStateFilter(admin.SimpleListFilter):
    """Whether a key works, and how much longer."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [
            ("usable", "Usable"),
            ("ending", f"Ends in {ENDS_SOON.days} days"),
            ("expired", "Expired"),
            ("revoked", "Revoked"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = timezone.now()
        if self.value() == "usable":
            return queryset.usable()
        if self.value() == "ending":
            return queryset.usable().filter(expires_at__lt=now + ENDS_SOON)
        if self.value() == "expired":
            return queryset.filter(revoked_at=None, expires_at__lte=now)
        if self.value() == "revoked":
            return queryset.exclude(revoked_at=None)
        return queryset


class LastUsedFilter(admin.SimpleListFilter):
    """When a key was last used: one that nobody uses can go."""

    title = "last used"
    parameter_name = "used"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [
            ("7", "In the last 7 days"),
            ("30", "In the last 30 days"),
            ("not-90", "Not in the last 90 days"),
            ("never", "Never"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = timezone.now()
        if self.value() in {"7", "30"}:
            return queryset.filter(last_used_at__gte=now - timedelta(days=int(self.value() or 0)))
        if self.value() == "not-90":
            return queryset.exclude(last_used_at__gte=now - timedelta(days=90))
        if self.value() == "never":
            return queryset.filter(last_used_at=None)
        return queryset
