"""Pages of the admin that give access ask who it is, when that was proved too long ago.

The actions that end sessions, keys and accounts are left free: nothing may stand between staff and
the end of an attack.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from security.admin.pages import StaffPage
from staff.sign_in import stage as admin_stage
from staff.sign_in.factors import with_next

if TYPE_CHECKING:
    Page = StaffPage
else:
    Page = object

NOTHING_SAVED = "Nothing was saved: confirm first that it is you, then send the form again."


class FreshProofPage(Page):
    """A page on which adding, changing and deleting need a fresh proof (ASVS v5.0.0-7.5.1)."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        is_deleting = request.POST.get("action") == "delete_selected"
        to_proof = ask_for_proof(request) if is_deleting else None
        return to_proof or super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        page = super().changeform_view
        return ask_for_proof(request) or page(request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return ask_for_proof(request) or super().delete_view(request, object_id, extra_context)


def ask_for_proof(request: HttpRequest, *, also_to_look: bool = False) -> HttpResponse | None:
    """Return the way to the page that asks who it is; None when that was proved just now.

    `also_to_look` asks before a form is shown, where it takes long to fill in.
    """
    is_sent = request.method == "POST"
    if admin_stage.is_fresh(request) or not (is_sent or also_to_look):
        return None
    if is_sent:
        messages.warning(request, NOTHING_SAVED)
    return redirect(with_next("admin:confirm_identity", request.get_full_path()))
