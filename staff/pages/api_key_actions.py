"""What staff do with a key that exists: rotate it, revoke it."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from security.admin.pages import ReadOnlyPage, acting_staff, is_superuser
from security.api_keys.services import IssuedKey, lock_key, revoke_key, rotate_key
from staff.pages.api_key_forms import RotateKeyForm
from staff.sign_in.fresh_proof import ask_for_proof


class ApiKeyActions(ReadOnlyPage):
    """The pages `rotate` and `revoke`, and the page that shows a new key once."""

    actions = ("revoke_selected",)

    def get_urls(self) -> list[Any]:
        rotate = self.admin_site.admin_view(self.rotate_view)
        revoke = self.admin_site.admin_view(self.revoke_view)
        return [
            path("<uuid:pk>/rotate/", rotate, name="security_apikey_rotate"),
            path("<uuid:pk>/revoke/", revoke, name="security_apikey_revoke"),
            *super().get_urls(),
        ]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Tell whether the member of staff may revoke keys."""
        return bool(request.user.has_perm("security.change_apikey"))

    def rotate_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Ask for the overlap, then show the successor. Raises `Conflict` for a second one."""
        if not is_superuser(request):
            raise PermissionDenied
        if to_proof := ask_for_proof(request, also_to_look=True):
            return to_proof
        form = RotateKeyForm(request.POST or None)
        if not form.is_valid():
            return self._confirm(request, pk, verb="Rotate", form=form)
        with acting_staff(request):
            old = lock_key(pk)
            issued = rotate_key(api_key=old, overlap=form.cleaned_data["overlap"])
            self.log_change(request, old, f"Rotated; its successor is {issued.api_key.masked}.")
            self.log_addition(request, issued.api_key, f"Issued as the successor of {old.masked}.")
        return self.show_once(request, issued)

    def revoke_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Ask whether the key is to end for good, then end it."""
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._confirm(request, pk, verb="Revoke")
        self._revoke(request, pk)
        self.message_user(request, "The key is revoked.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:security_apikey_change", args=[pk]))

    @admin.action(description="Revoke selected API keys", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: Any) -> None:
        """End keys for good."""
        keys = list(queryset.filter(revoked_at=None).order_by("pk").values_list("pk", flat=True))
        for pk in keys:
            self._revoke(request, pk)
        self.message_user(request, f"Keys revoked: {len(keys)}.", messages.SUCCESS)

    def show_once(self, request: HttpRequest, issued: IssuedKey) -> HttpResponse:
        """Answer with the whole key.

        SECURITY: never a redirect with a message: messages are stored, in a cookie or a session.
        """
        context = self._context(request, issued.api_key, "The new key")
        return TemplateResponse(
            request,
            "admin/security/apikey/shown_once.html",
            {**context, "written": issued.written},
            headers={"Cache-Control": "no-store"},
        )

    def _revoke(self, request: HttpRequest, pk: uuid.UUID) -> None:
        with acting_staff(request):
            key = lock_key(pk)
            if key.revoked_at is None:
                revoke_key(api_key=key)
                self.log_change(request, key, "Revoked.")

    def _confirm(
        self, request: HttpRequest, pk: uuid.UUID, *, verb: str, form: RotateKeyForm | None = None
    ) -> HttpResponse:
        key = self.get_object(request, str(pk))
        if key is None:
            raise Http404
        context = self._context(request, key, f"{verb} {key.name}?")
        return TemplateResponse(
            request,
            "admin/security/apikey/confirm.html",
            {**context, "verb": verb, "form": form},
        )

    def _context(self, request: HttpRequest, key: Any, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": key,
        }
