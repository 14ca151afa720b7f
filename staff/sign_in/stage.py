"""How far a session in the admin is: a password alone opens nothing but the second step.

What is noted stands in the session, which the browser cannot write. A change of factors ends the
user's other sessions, and those that are just being opened, so what was noted in one stays true.
"""

import time
from typing import Any, Final, cast

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest

from accounts.devices.known_devices import find_known_device, remember_device, sent_tokens
from accounts.devices.trust import note_second_factor
from accounts.factors.state import factors_of
from accounts.models import User
from crm.env import env
from security.events.collector import record_event
from security.events.types import EventType

PASSWORD: Final = "password"  # noqa: S105 (a method's name)
# By what the sign-in was completed, and when its owner last proved who they are (POSIX).
METHOD_KEY: Final = "completed_by"
PROVED_KEY: Final = "proved_at"
# Long enough to put an app on a phone, short enough for a screen that was left.
PENDING_SECONDS: Final = 15 * 60


def begin(request: HttpRequest) -> None:
    """Note that the password proved right; that is all where no second factor is asked for."""
    request.session.pop(METHOD_KEY, None)
    note_proof(request)
    if not (env.admin_require_2fa or factors_of(signed_in_user(request).pk)):
        complete(request, PASSWORD)


def complete(request: HttpRequest, method: str) -> None:
    """Note that nothing is missing any more: the session gets a new key, the device is known."""
    request.session.cycle_key()
    request.session[METHOD_KEY] = method
    note_proof(request)
    user = signed_in_user(request)
    tokens = sent_tokens(request)
    device = find_known_device(email=user.email, tokens=tokens)
    remembered = remember_device(request=request, user=user, device=device, tokens=tokens)
    if method != PASSWORD:
        note_second_factor(
            user=user,
            device_id=remembered.device_id,
            factors=factors_of(user.pk).fingerprint,
            is_trusted=False,
        )
    request.remembered_device = remembered  # type: ignore[attr-defined]  # for the site
    record_event(
        EventType.ADMIN_SIGNED_IN, user_id=user.pk, method=method, device_id=remembered.device_id
    )


def keep_after_change(request: HttpRequest) -> None:
    """Keep the session in which the owner has just changed a factor.

    SECURITY: counted on from what the request began with, not read again: of two changes at once
    each ends the session of the other.
    """
    user = signed_in_user(request)
    user.factors_version += 1
    update_session_auth_hash(request, user)


def note_proof(request: HttpRequest) -> None:
    """Note that the owner proved just now who they are."""
    request.session[PROVED_KEY] = time.time()


def reopen(request: HttpRequest) -> None:
    """Have the session completed again, when its owner gave the last factor up."""
    request.session.pop(METHOD_KEY, None)
    begin(request)


def is_complete(request: HttpRequest) -> bool:
    """Tell whether the session opens the admin."""
    method = request.session.get(METHOD_KEY)
    return method is not None and not (method == PASSWORD and env.admin_require_2fa)


def is_forgotten(request: HttpRequest) -> bool:
    """Tell whether a session was left between its steps."""
    return not is_complete(request) and _seconds_since_proof(request) > PENDING_SECONDS


def is_fresh(request: HttpRequest) -> bool:
    """Tell whether the owner proved a short while ago who they are."""
    return _seconds_since_proof(request) < env.fresh_sign_in_lifetime.total_seconds()


def _seconds_since_proof(request: HttpRequest) -> float:
    return time.time() - float(request.session.get(PROVED_KEY, 0))


def signed_in_user(request: HttpRequest) -> User:
    """Return the member of staff; only behind a check that there is one."""
    user: Any = request.user
    return cast(User, user)
