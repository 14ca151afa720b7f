"""Permission classes. Every view names one; a test walks the URLs and fails for one without.

A refusal is an exception of `crm.api.errors`, so that the answer says which rule refused.
"""

from typing import Any, cast

from django.utils import timezone
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crm.api.errors import (
    AuthenticationRequired,
    InsufficientScope,
    PermissionDenied,
    ReauthenticationRequired,
    SecondFactorRequired,
)
from crm.env import env
from security.access.roles import Right, has_right
from security.access.scopes import ACTION_OF_RIGHT
from security.request.actors import Actor

RequiredRight = tuple[str, Right]
NO_KEY = "An API key cannot do this. Sign in as a user."


class DenyUndeclared(BasePermission):
    """The default: a view that declares no permission answers nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class Public(BasePermission):
    """Everybody, signed in or not."""

    accepted_credentials: tuple[str, ...] = ()

    def has_permission(self, request: Request, view: Any) -> bool:
        return True


class IsSignedInUser(BasePermission):
    """A person with an access token. A key manages no sessions, members or credentials."""

    accepted_credentials = ("accessToken",)

    def has_permission(self, request: Request, view: Any) -> bool:
        if not require_actor(request).is_user:
            raise PermissionDenied(NO_KEY)
        return True


class FreshSignIn(BasePermission):
    """A person who proved who they are a short while ago (FRESH_SIGN_IN_LIFETIME).

    Stands beside the permission that says who may call at all. A view whose calls do not all need
    it names those that do in `fresh_actions`. Signing in and `POST /v1/auth/reauthenticate` make
    a session fresh; a refresh does not: whoever stole tokens has no password (ASVS v5.0.0-7.5.1).
    """

    errors = (ReauthenticationRequired,)

    def has_permission(self, request: Request, view: Any) -> bool:
        fresh_actions = getattr(view, "fresh_actions", None)
        action = getattr(view, "action", None) or (request.method or "").lower()
        if fresh_actions is not None and action not in fresh_actions:
            return True
        actor = require_actor(request)
        if not actor.is_user:
            raise PermissionDenied(NO_KEY)
        if not actor.is_fresh(timezone.now()):
            raise ReauthenticationRequired
        return True


class SecondFactorForKeys(BasePermission):
    """Whoever makes API keys has a second factor, where REQUIRE_2FA_FOR names `api_keys`."""

    errors = (SecondFactorRequired,)

    def has_permission(self, request: Request, view: Any) -> bool:
        is_making = view.action in view.issuing_actions
        if is_making and "api_keys" in env.require_2fa_for:
            actor = require_actor(request)
            if not actor.has_second_factor:
                raise SecondFactorRequired
        return True


class HasRights(BasePermission):
    """A user whose role, or a key whose scopes and owner's role, hold the view's rights.

    The view names them in `required_rights`: action → ((resource, right), …).
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = require_actor(request)
        for resource, right in view.rights_of_action():
            require_right(actor, resource, right)
        return True


def require_actor(request: Request) -> Actor:
    """Return the authenticated caller, or raise `AuthenticationRequired`."""
    if not request.user.is_authenticated:
        raise AuthenticationRequired
    return cast(Actor, request.user)


def require_right(actor: Actor, resource: str, right: Right) -> None:
    """Raise `InsufficientScope` or `PermissionDenied` unless the actor holds the right."""
    if not actor.has_scope(resource, right):
        scope = f"{resource}:{ACTION_OF_RIGHT[right]}"
        raise InsufficientScope(scope=scope)
    if not has_right(actor.role, resource, right):
        raise PermissionDenied(f"The role {actor.role} may not {right} {resource}.")
