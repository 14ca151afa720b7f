"""What the admin's pages tell the script that speaks to the browser about passkeys."""

import uuid
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from accounts.factors.factor_changes import Kept
from accounts.guards.passkey_proof import passkey_options
from accounts.models import ChallengePurpose
from accounts.passkeys.own_passkeys import begin_registration
from crm.api import json
from crm.api.errors import ReauthenticationRequired
from staff.sign_in import stage as admin_stage
from staff.sign_in.stage import signed_in_user


class PasskeyPages:
    """The options of both ceremonies, as JSON."""

    def __init__(self, site: Any) -> None:
        self.site = site

    def urls(self, wrap: Callable[..., Any]) -> list[Any]:
        """Return the routes; `wrap` lets members of staff in who have not finished signing in."""
        creating = self.site.admin_view(self.creation_options)
        return [
            path("confirm/passkey/", wrap(self.proof_options), name="passkey_proof_options"),
            path("second-factor/passkey/", creating, name="passkey_options"),
        ]

    @method_decorator([csrf_protect, require_POST])
    def proof_options(self, request: HttpRequest) -> JsonResponse:
        """Answer the options by which one's passkey proves who one is."""
        user_id = signed_in_user(request).pk
        return JsonResponse(passkey_options(ChallengePurpose.SECOND_STEP, user_id=user_id))

    @method_decorator([csrf_protect, require_POST])
    def creation_options(self, request: HttpRequest) -> JsonResponse:
        """Answer the options of a new passkey; raises `ReauthenticationRequired`."""
        if not admin_stage.is_fresh(request):
            raise ReauthenticationRequired
        return JsonResponse(begin_registration(user_id=signed_in_user(request).pk))


def credential_of(request: HttpRequest) -> dict[str, Any]:
    """Return what the script put into the form; an empty one for anything else."""
    try:
        sent = json.loads(request.POST.get("credential", "").encode())
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}


def parse_id(text: str) -> uuid.UUID:
    """Return an id that a form sent; raises `Http404`."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error


def kept(request: HttpRequest) -> Kept:
    """Return the session from which factors are changed: it does not end by that."""
    return Kept(admin_key=request.session.session_key)
