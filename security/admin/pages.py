"""The base of every page of the staff admin.

Staff look and close, by Django's model permissions; only superusers open what gives access.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from crm.db.tenancy import context
from security.request.actors import ActorKind
from security.request.context import in_context

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

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return self._recorded(request, super().changelist_view, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        page = super().changeform_view
        return self._recorded(request, page, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return self._recorded(request, super().delete_view, object_id, extra_context)

    def _recorded(self, request: HttpRequest, page: Callable[..., Any], *args: Any) -> Any:
        """Answer with a page; what it writes carries the member of staff."""
        if request.method != "POST":
            return page(request, *args)
        with acting_staff(request):
            return page(request, *args)

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


@contextmanager
def acting_staff(request: HttpRequest) -> Iterator[None]:
    """Run a block in a transaction whose writes the audit trail ascribes to a member of staff."""
    user: Any = request.user
    arrived = in_context(request)
    with context(
        actor_kind=ActorKind.STAFF,
        actor_id=str(user.pk),
        actor_label=user.email,
        request_id=arrived.request_id,
        ip_address=arrived.client_ip,
    ):
        yield


def is_superuser(request: HttpRequest) -> bool:
    """Tell whether a superuser sent the request."""
    user = request.user
    return bool(user.is_active and user.is_superuser)
