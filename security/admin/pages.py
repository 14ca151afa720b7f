"""The base of every page of the staff admin.

Staff look and close, by Django's model permissions; only superusers open what gives access.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

if TYPE_CHECKING:
    ModelPage = admin.ModelAdmin[Any]
    MemberInline = admin.TabularInline[Any, Any]
else:
    ModelPage = admin.ModelAdmin
    MemberInline = admin.TabularInline


class StaffPage(ModelPage):
    """A model's pages. The staff site registers no page that does not derive from this."""

    empty_value_display = "—"
    list_per_page = 50
    # Each of these would count the whole table on every page.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # SECURITY: a filter such as `?password__startswith=` would tell these letter by letter.
    secret_fields: Sequence[str] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        is_secret = lookup.split("__")[0] in self.secret_fields
        return not is_secret and super().lookup_allowed(lookup, value, request)


class ReadOnlyPage(StaffPage):
    """Pages on which nothing is typed in; what can be done are their actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def is_superuser(request: HttpRequest) -> bool:
    """Tell whether a superuser sent the request."""
    user = request.user
    return bool(user.is_active and user.is_superuser)
