"""The admin site of staff: its sign-in, its sessions, its refusals."""

import math
import re
from collections.abc import Callable
from functools import update_wrapper
from http import HTTPStatus
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.devices.cookie import set_device_cookie, tokens_in_cookie
from crm.api import errors
from security.admin.pages import StaffPage, is_superuser
from security.events.collector import record_event
from security.events.types import EventType
from security.rate_limits.general import check_general
from security.request.actors import ANONYMOUS
from staff.security_page import security_page
from staff.sign_in import stage as admin_stage
from staff.sign_in.factors import FactorPages, next_step, with_next
from staff.sign_in.forms import OwnPasswordForm, StaffSignInForm

# A page as the site wraps it; the stubs' type is private.
View = Any
LONGEST_IN_SECONDS = 90
_YEAR = re.compile(r"[1-9][0-9]{3}", re.ASCII)
NO_PERMISSION = "Your account has no permission for this. A superuser can give it."


class StaffSite(AdminSite):
    """Django's admin behind our guard, with our pages only."""

    site_title = "CRM staff"
    site_header = "CRM administration"
    index_title = "Overview"
    site_url = None
    login_form = StaffSignInForm

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register a page that derives from `StaffPage`, and no other.

        SECURITY: packages register pages that show tokens or unlock accounts without a record;
        each package that is added later would bring its own.
        """
        if admin_class is not None and issubclass(admin_class, StaffPage):
            super().register(model_or_iterable, admin_class, **options)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Wrap a page: end sessions that lost their right, answer refusals readably."""
        guarded = super().admin_view(view, cacheable)

        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            self._end_lost_session(request)
            if self._is_staff(request) and not admin_stage.is_complete(request):
                return redirect(with_next(next_step(request), request.get_full_path()))
            return self._answer(request, guarded, *args, **kwargs)

        return update_wrapper(page, guarded)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        """Show the lists of a part of the admin; that of security begins with the figures."""
        if app_label == "security" and is_superuser(request):
            return security_page(request, self, extra_context)
        return super().app_index(request, app_label, extra_context)

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the sign-in form, or judge it."""
        return self._answer(request, self._login, extra_context)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Change one's own password; the old one is judged by the guard of the sign-in."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=_bound_to(request),
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)

    def _login(self, request: HttpRequest, extra_context: Any) -> Any:
        if request.method == "POST":
            check_general(request, ANONYMOUS, anonymous_limit="login_calls")
        response = super().login(request, extra_context)
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
            admin_stage.begin(request)
        return response

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether a member of staff is signed in with all that is asked for."""
        return self._is_staff(request) and admin_stage.is_complete(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """List what there is, to those who have finished signing in."""
        return super().get_app_list(request, app_label) if self.has_permission(request) else []

    def get_urls(self) -> list[Any]:
        return [*FactorPages(self).urls(self._staff_view), *super().get_urls()]

    def _staff_view(self, view: View) -> View:
        """Wrap a page for members of staff whose second factor is still to come."""

        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            self._end_lost_session(request)
            if not self._is_staff(request):
                return redirect_to_login(request.get_full_path(), reverse("admin:login"))
            return self._answer(request, view, *args, **kwargs)

        return update_wrapper(page, view)

    def _is_staff(self, request: HttpRequest) -> bool:
        return super().has_permission(request)

    def _end_lost_session(self, request: HttpRequest) -> None:
        """End the session of a user who was deactivated or is staff no longer, for good.

        So it is with one that was left after the password.
        """
        is_lost = not self._is_staff(request) or admin_stage.is_forgotten(request)
        if SESSION_KEY in request.session and is_lost:
            logout(request)

    def _answer(self, request: HttpRequest, view: View, *args: Any, **kwargs: Any) -> Any:
        """Answer with a page, or with a readable refusal; a device made known gets its cookie."""
        response = self._answer_or_refuse(request, view, *args, **kwargs)
        remembered = getattr(request, "remembered_device", None)
        if remembered is not None:
            set_device_cookie(response, remembered.token, tokens_in_cookie(request))
        return response

    def _answer_or_refuse(self, request: HttpRequest, view: View, *args: Any, **kwargs: Any) -> Any:
        try:
            if _is_unreadable(request):
                raise errors.ValidationFailed
            return view(request, *args, **kwargs)
        except errors.ApiError as error:
            return self._refuse(request, error)
        except (ValidationError, DataError, OverflowError):
            # Ids, dates and numbers that no form of ours sends.
            return self._refuse(request, errors.ValidationFailed())
        except Http404:
            return self._refuse(request, errors.NotFound())
        except PermissionDenied:
            record_event(EventType.PERMISSION_DENIED)
            return self._refuse(request, errors.PermissionDenied(NO_PERMISSION))

    def _refuse(self, request: HttpRequest, error: errors.ApiError) -> HttpResponse:
        headers = error.response_headers()
        context = {
            **self.each_context(request),
            "title": error.message,
            "reasons": _reasons(error),
            "wait": _wait(int(headers.get("Retry-After", "0"))),
        }
        response = render(request, "admin/refusal.html", context, status=error.status)
        for name, value in headers.items():
            response.headers[name] = value
        return response


def _is_unreadable(request: HttpRequest) -> bool:
    """Tell whether a text could stand in no database, or a year in no calendar."""
    pairs = [("", request.path)]
    for query in (request.GET, request.POST):
        pairs += [(name, str(value)) for name, values in query.lists() for value in values]
    return any(
        "\0" in name + value or (name.endswith("__year") and not _YEAR.fullmatch(value))
        for name, value in pairs
    )


def _reasons(error: errors.ApiError) -> list[str]:
    """Return the messages about single fields."""
    values = (error.details or {}).values()
    return [str(message) for value in values if isinstance(value, list) for message in value]


def _wait(seconds: int) -> str:
    """Return how long to wait as people say it; nothing for none."""
    if seconds > LONGEST_IN_SECONDS:
        return f"{math.ceil(seconds / 60)} minutes"
    return f"{seconds} seconds" if seconds else ""


def _bound_to(request: HttpRequest) -> Callable[..., OwnPasswordForm]:
    """Return the form's class with the request that the guard counts."""
    return lambda *args, **kwargs: OwnPasswordForm(*args, request=request, **kwargs)
