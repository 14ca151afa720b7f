"""Proving again who one is, within a session: what is grave asks for a fresh sign-in."""

import uuid
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts.devices.known_devices import find_known_device
from accounts.devices.trust import device_with_own_count
from accounts.factors.state import PASSKEY, factors_of
from accounts.guards.code_check import check_code
from accounts.guards.passkey_proof import check_passkey
from accounts.guards.password_check import check_password
from accounts.models import ChallengePurpose, Session, User
from crm.api.errors import InvalidCredentials, SessionRevoked
from security.events.collector import record_event
from security.events.types import EventType
from security.request.actors import Actor


def reauthenticate_by_password(*, request: HttpRequest, actor: Actor, password: str) -> None:
    """Make the actor's session fresh when the password is theirs.

    Wrong tries count as failed sign-ins do (ASVS v5.0.0-6.3.4). Raises what `check_password`
    raises, and `SessionRevoked` when the session ended meanwhile.
    """
    user = check_password(
        request=request, email=actor.label, password=password, session_id=actor.session_id
    )
    if user.pk != actor.user_id:
        # The address became somebody else's between authentication and here.
        raise InvalidCredentials
    freshen_session(session_id=actor.own_session_id, user_id=actor.user_id, method="password")


def reauthenticate_by_code(*, actor: Actor, code: str) -> None:
    """Use up a code of the actor's second factor and make their session fresh.

    Raises what `check_code` raises, and `SessionRevoked`. Wrong codes count as those of the
    session's device do, so that sessions multiply no guesses.
    """
    user = User.objects.get(pk=actor.user_id)
    session_id = actor.own_session_id
    device = find_known_device(email=user.email, tokens=(), session_id=session_id)
    factors = factors_of(user.pk).fingerprint
    method = check_code(
        user=user,
        code=code,
        team_id=actor.team_id,
        source=device_with_own_count(user=user, device=device, factors=factors),
    )
    freshen_session(session_id=session_id, user_id=user.pk, method=method)


def reauthenticate_by_passkey(*, actor: Actor, credential: dict[str, Any]) -> None:
    """Make the actor's session fresh by one of their passkeys; raises `InvalidCredentials`."""
    check_passkey(
        credential=credential, purpose=ChallengePurpose.REAUTHENTICATE, user_id=actor.user_id
    )
    freshen_session(session_id=actor.own_session_id, user_id=actor.user_id, method=PASSKEY)


def freshen_session(*, session_id: uuid.UUID, user_id: uuid.UUID, method: str) -> None:
    """Note that the owner of a session proved who they are; raises `SessionRevoked`."""
    mine = Session.objects.live().filter(pk=session_id, user_id=user_id)
    if not mine.update(authenticated_at=timezone.now()):
        raise SessionRevoked
    record_event(EventType.SESSION_REAUTHENTICATED, session_id=session_id, method=method)
