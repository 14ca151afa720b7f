"""Members of teams. Who is a member sees the team's records, so only superusers decide it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Membership
from security.admin.pages import MemberInline, StaffPage, is_superuser


class SuperuserEdits:
    """Those with the permission look; superusers add, change and remove."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)


class MembershipInline(SuperuserEdits, MemberInline):
    """The members of a team, or the teams of a user."""

    model = Membership
    autocomplete_fields = ("team", "user")
    fields = ("team", "user", "role", "is_active", "created_at")
    readonly_fields = ("created_at",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("team", "user")


@admin.register(Membership)
class MembershipPage(SuperuserEdits, StaffPage):
    """Who works where, and as what."""

    list_display = ("user", "team", "role", "is_active", "created_at")
    list_filter = ("role", "is_active", "team")
    list_select_related = ("user", "team")
    search_fields = ("user__email", "user__first_name", "user__last_name", "team__name")
    autocomplete_fields = ("team", "user")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    readonly_fields = ("created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A membership keeps its team and user: records are assigned by the two."""
        return self.readonly_fields if obj is None else ("team", "user", "created_at")
