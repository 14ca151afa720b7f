"""Members of teams. Who is a member sees the team's records, so only superusers decide it."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Membership
from security.admin.pages import MemberInline, StaffPage, is_superuser
from staff.pages.member_writes import (
    MembershipFormSet,
    write_change,
    write_new,
    write_removal,
)
from staff.sign_in.fresh_proof import FreshProofPage

if TYPE_CHECKING:
    MembershipModelForm = forms.ModelForm[Membership]
else:
    MembershipModelForm = forms.ModelForm


class SuperuserEdits:
    """Those with the permission look; superusers add, change and remove."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)


class MembershipForm(MembershipModelForm):
    """A membership keeps its team and user: records are assigned by the two."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"team", "user"} & set(self.fields):
            self.fields[name].disabled = not self.instance._state.adding


class MembershipInline(SuperuserEdits, MemberInline):
    """The members of a team, or the teams of a user."""

    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    autocomplete_fields = ("team", "user")
    fields = ("team", "user", "role", "is_active", "created_at")
    readonly_fields = ("created_at",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("team", "user")


@admin.register(Membership)
class MembershipPage(SuperuserEdits, FreshProofPage, StaffPage):
    """Who works where, and as what."""

    form = MembershipForm
    list_display = ("user", "team", "role", "is_active", "created_at")
    list_filter = ("role", "is_active", "team")
    list_select_related = ("user", "team")
    search_fields = ("user__email", "user__first_name", "user__last_name", "team__name")
    autocomplete_fields = ("team", "user")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    readonly_fields = ("created_at",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            write_change(obj)
        else:
            obj.pk = write_new(obj).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        write_removal(obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for membership in queryset.order_by("team_id", "pk"):
            write_removal(membership)
