"""Admin pages that see every team's rows, each through the recorded door."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse

from security.access.all_teams import all_teams
from security.admin.pages import StaffPage, is_superuser
from security.request.context import ContextRequest, in_context

Page = Callable[..., Any]
_SETTINGS = """
    SELECT set_config('app.request_id', %s, true), set_config('app.ip_address', %s, true),
           set_config('plan_cache_mode', 'force_custom_plan', true)
"""


def through_door(
    request: HttpRequest, reason: str, page: Page, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Answer with a page that is made, and rendered, while the door stands open.

    Raises `PermissionDenied` unless a superuser asks. Outside the door there are no rows, so a
    page that forgets it shows nothing.
    """
    if not is_superuser(request):
        raise PermissionDenied
    user: Any = request.user
    with all_teams(reason=reason, actor_id=str(user.pk), actor_label=user.email):
        _set_out(in_context(request))
        response: HttpResponse = page(request, *args, **kwargs)
        if isinstance(response, SimpleTemplateResponse):
            # A template reads rows too, and would be rendered after the door closed.
            response.render()
    return response


def _set_out(arrived: ContextRequest) -> None:
    """Say for the rest of the transaction where the request came from.

    And have it planned for its values: among all teams' rows, a plan that serves any value reads a
    million rows to find a rare one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS, [arrived.request_id, arrived.client_ip])


class AllTeamsPage(StaffPage):
    """A model's pages across all teams, for superusers alone."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return self.open(request, "list", super().changelist_view, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        page = super().changeform_view
        return self.open(request, object_id or "add", page, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        page = super().delete_view
        return self.open(request, f"delete {object_id}", page, object_id, extra_context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        page = super().history_view
        return self.open(request, f"history {object_id}", page, object_id, extra_context)

    def open(self, request: HttpRequest, what: str, page: Page, *args: Any) -> HttpResponse:
        """Answer with a page inside the door; the record says what it was for."""
        reason = f"admin {request.method} {self.opts.label_lower} {what!r}"
        return through_door(request, reason, page, *args)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)
