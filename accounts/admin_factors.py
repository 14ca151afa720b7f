"""Pages of the admin about one's own second factor: asking for it, setting it up, changing it."""

import base64
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from accounts import admin_stage
from accounts.admin_factor_forms import AppCodeForm, CodeForm, PasswordForm
from accounts.admin_stage import signed_in_user
from accounts.factors.state import factors_of
from accounts.flows.factor_changes import Kept
from accounts.flows.second_factor import (
    confirm_totp,
    disable_totp,
    replace_backup_codes,
    set_up_totp,
    unfinished_set_up,
)
from crm.api.errors import ValidationFailed

NEXT = "next"


class FactorPages:
    """The pages, for the site that they belong to."""

    def __init__(self, site: Any) -> None:
        self.site = site

    def urls(self, wrap: Callable[..., Any]) -> list[Any]:
        """Return the routes; `wrap` lets members of staff in who have not finished signing in."""
        return [
            path("confirm/", wrap(self.confirm), name="confirm_identity"),
            path("second-factor/", self.site.admin_view(self.factors), name="factors"),
            path("second-factor/app/", wrap(self.set_up), name="factor_setup"),
        ]

    @method_decorator([never_cache, csrf_protect, sensitive_post_parameters()])
    def confirm(self, request: HttpRequest) -> HttpResponse:
        """Ask for a code, or for the password of somebody who has no second factor."""
        factors = factors_of(signed_in_user(request).pk)
        if not factors and not admin_stage.is_complete(request):
            return redirect(with_next("admin:factor_setup", _next(request)))
        form_class = CodeForm if factors else PasswordForm
        form = form_class(request.POST or None, request=request)
        if request.method == "POST" and form.is_valid():
            if admin_stage.is_complete(request):
                admin_stage.note_proof(request)
            else:
                admin_stage.complete(request, form.method)
            return HttpResponseRedirect(_next(request))
        return self._page(request, "confirm", "Confirm that it is you", form=form, factors=factors)

    @method_decorator([never_cache, csrf_protect, sensitive_post_parameters()])
    def set_up(self, request: HttpRequest) -> HttpResponse:
        """Show the secret of a new authenticator app, and turn it on by a code."""
        factors = factors_of(signed_in_user(request).pk)
        if factors.totp_id is not None and admin_stage.is_complete(request):
            return redirect("admin:factors")
        if (factors and not admin_stage.is_complete(request)) or not admin_stage.is_fresh(request):
            return redirect(with_next("admin:confirm_identity", request.get_full_path()))
        if request.method == "POST" and "begin" in request.POST:
            set_up_totp(user_id=signed_in_user(request).pk)
            return redirect(with_next("admin:factor_setup", _next(request)))
        form = AppCodeForm(request.POST or None)
        is_sent = request.method == "POST" and form.is_valid()
        if is_sent and (codes := self._confirmed(request, form)):
            return self._show_codes(request, codes)
        return self._set_up_page(request, form)

    @method_decorator([never_cache, csrf_protect])
    def factors(self, request: HttpRequest) -> HttpResponse:
        """Show what one has set up, and change it."""
        if request.method == "POST":
            if not admin_stage.is_fresh(request):
                return redirect(with_next("admin:confirm_identity", request.path))
            if "disable" in request.POST:
                return self._disable(request)
            if "codes" in request.POST:
                codes = replace_backup_codes(
                    user_id=signed_in_user(request).pk, kept=_kept(request)
                )
                return self._show_codes(request, codes)
        factors = factors_of(signed_in_user(request).pk)
        return self._page(request, "factors", "Second factor", factors=factors)

    def _confirmed(self, request: HttpRequest, form: AppCodeForm) -> list[str] | None:
        """Turn the app on; return the backup codes, or None for a wrong code."""
        code = form.cleaned_data["code"]
        try:
            codes = confirm_totp(user_id=signed_in_user(request).pk, code=code, kept=_kept(request))
        except ValidationFailed:
            form.add_error("code", "Wrong code. Is the phone's clock right?")
            return None
        admin_stage.complete(request, "totp")
        return codes

    def _set_up_page(self, request: HttpRequest, form: AppCodeForm) -> HttpResponse:
        setup = unfinished_set_up(user_id=signed_in_user(request).pk)
        picture = ""
        if setup is not None:
            encoded = base64.b64encode(setup.qr_svg.encode()).decode()
            picture = f"data:image/svg+xml;base64,{encoded}"
        return self._page(
            request,
            "setup",
            "Set up a second factor",
            form=form,
            setup=setup,
            picture=picture,
        )

    def _disable(self, request: HttpRequest) -> HttpResponse:
        disable_totp(user_id=signed_in_user(request).pk, kept=_kept(request))
        if not factors_of(signed_in_user(request).pk):
            admin_stage.reopen(request)
        messages.success(request, "The authenticator app is no longer asked for.")
        return redirect("admin:factors")

    def _show_codes(self, request: HttpRequest, codes: list[str]) -> HttpResponse:
        """Answer with the codes. SECURITY: never a redirect with a message: those are stored."""
        return self._page(request, "backup_codes", "Your backup codes", codes=codes)

    def _page(
        self, request: HttpRequest, name: str, title: str, **context: Any
    ) -> TemplateResponse:
        shown = {**self.site.each_context(request), "title": title, "next": _next(request)}
        return TemplateResponse(
            request,
            f"admin/second_factor/{name}.html",
            shown | context,
            headers={"Cache-Control": "no-store"},
        )


def next_step(request: HttpRequest) -> str:
    """Return the page that a session with nothing but a password is led to."""
    return (
        "admin:confirm_identity" if factors_of(signed_in_user(request).pk) else "admin:factor_setup"
    )


def with_next(name: str, target: str) -> str:
    """Return the address of a page that leads on to another one."""
    return f"{reverse(name)}?{urlencode({NEXT: target})}"


def _next(request: HttpRequest) -> str:
    """Return where to go on. SECURITY: a page of this server, whatever the address says."""
    target = request.POST.get(NEXT) or request.GET.get(NEXT) or ""
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        return target
    return reverse("admin:index")


def _kept(request: HttpRequest) -> Kept:
    return Kept(admin_key=request.session.session_key)
