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

from accounts.factors.second_factor import (
    confirm_totp,
    disable_totp,
    replace_backup_codes,
    set_up_totp,
    unfinished_set_up,
)
from accounts.factors.state import PASSKEY, Factors, factors_of
from accounts.models import Passkey
from accounts.passkeys.own_passkeys import NOT_ACCEPTED, register_passkey, remove_passkey
from crm.api.errors import Conflict, ValidationFailed
from crm.plain_text import one_line
from staff.sign_in import stage as admin_stage
from staff.sign_in.factor_forms import AppCodeForm, CodeForm, PasskeyForm, PasswordForm
from staff.sign_in.passkeys import PasskeyPages, credential_of, kept, parse_id
from staff.sign_in.stage import signed_in_user

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
            *PasskeyPages(self.site).urls(wrap),
        ]

    @method_decorator([never_cache, csrf_protect, sensitive_post_parameters()])
    def confirm(self, request: HttpRequest) -> HttpResponse:
        """Ask for a code or a passkey, or for the password where there is no second factor."""
        factors = factors_of(signed_in_user(request).pk)
        is_to_set_up = not factors and not admin_stage.is_complete(request)
        if is_to_set_up and admin_stage.is_fresh(request):
            return redirect(with_next("admin:factor_setup", _next(request)))
        form = _proof_form(request, factors)
        if request.method == "POST" and form.is_valid():
            if admin_stage.is_complete(request) or is_to_set_up:
                admin_stage.note_proof(request)
            else:
                admin_stage.complete(request, form.method)
            return HttpResponseRedirect(_next(request))
        is_passkey = isinstance(form, PasskeyForm)
        return self._page(
            request,
            "confirm",
            "Confirm that it is you",
            form=CodeForm(request=request) if is_passkey else form,
            passkey_errors=form.non_field_errors() if is_passkey else (),
            factors=factors,
        )

    @method_decorator([never_cache, csrf_protect, sensitive_post_parameters()])
    def set_up(self, request: HttpRequest) -> HttpResponse:
        """Show the secret of a new authenticator app, and turn it on by a code."""
        factors = factors_of(signed_in_user(request).pk)
        if factors.totp_id is not None and admin_stage.is_complete(request):
            return redirect("admin:factors")
        if (factors and not admin_stage.is_complete(request)) or not admin_stage.is_fresh(request):
            return redirect(with_next("admin:confirm_identity", request.get_full_path()))
        if request.method == "POST" and "begin" in request.POST:
            set_up_totp(user_id=signed_in_user(request).pk, kept=kept(request))
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
            if "remove" in request.POST:
                return self._remove_passkey(request)
            user_id, codes = signed_in_user(request).pk, None
            if "codes" in request.POST:
                codes = replace_backup_codes(user_id=user_id, kept=kept(request))
                admin_stage.keep_after_change(request)
            if "credential" in request.POST:
                codes = self._add_passkey(request)
            if codes:
                return self._show_codes(request, codes)
        return self._factors_page(request)

    def _confirmed(self, request: HttpRequest, form: AppCodeForm) -> list[str] | None:
        """Turn the app on; return the backup codes, or None for a wrong code."""
        code = form.cleaned_data["code"]
        try:
            codes = confirm_totp(user_id=signed_in_user(request).pk, code=code, kept=kept(request))
        except ValidationFailed:
            form.add_error("code", "Wrong code. Is the phone's clock right?")
            return None
        admin_stage.keep_after_change(request)
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

    def _factors_page(self, request: HttpRequest) -> HttpResponse:
        user = signed_in_user(request)
        return self._page(
            request,
            "factors",
            "Second factor",
            factors=factors_of(user.pk),
            passkeys=Passkey.objects.filter(user=user),
        )

    def _add_passkey(self, request: HttpRequest) -> list[str] | None:
        """Store what the browser made; return the backup codes that come with a first factor."""
        try:
            registered = register_passkey(
                user_id=signed_in_user(request).pk,
                credential=credential_of(request),
                name=one_line(request.POST.get("name", ""))[:64] or "Passkey",
                kept=kept(request),
            )
        except (ValidationFailed, Conflict) as error:
            is_full = isinstance(error, Conflict)
            messages.error(request, error.message if is_full else NOT_ACCEPTED)
            return None
        admin_stage.keep_after_change(request)
        messages.success(request, "The passkey was added.")
        if not registered.backup_codes:
            return None
        admin_stage.complete(request, PASSKEY)
        return registered.backup_codes

    def _remove_passkey(self, request: HttpRequest) -> HttpResponse:
        passkey_id = parse_id(request.POST["remove"])
        remove_passkey(
            user_id=signed_in_user(request).pk, passkey_id=passkey_id, kept=kept(request)
        )
        return self._after_removal(request, "The passkey was removed.")

    def _disable(self, request: HttpRequest) -> HttpResponse:
        disable_totp(user_id=signed_in_user(request).pk, kept=kept(request))
        return self._after_removal(request, "The authenticator app is no longer asked for.")

    def _after_removal(self, request: HttpRequest, message: str) -> HttpResponse:
        """Keep this session; without a factor it has to be completed again."""
        admin_stage.keep_after_change(request)
        if not factors_of(signed_in_user(request).pk):
            admin_stage.reopen(request)
        messages.success(request, message)
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


def _proof_form(request: HttpRequest, factors: Factors) -> Any:
    """Return the form for what is sent, or for what will be."""
    if factors.passkey_ids and request.POST.get("credential"):
        return PasskeyForm(request.POST, request=request)
    form_class = CodeForm if factors else PasswordForm
    return form_class(request.POST or None, request=request)
