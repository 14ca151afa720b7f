"""The second step of a sign-in: a password proved right, and the account has a second factor."""

import hmac
import uuid
from typing import NamedTuple

from django.db import IntegrityError
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from accounts.devices.known_devices import find_known_device
from accounts.devices.trust import device_with_own_count
from accounts.factors.state import Factors, factors_of
from accounts.guards.code_check import PENDING_NOT_VALID, check_code
from accounts.models import Membership, Session, User
from accounts.sessions.session_start import Proof, SignedIn, SigningClient, start_session
from accounts.sessions.tokens import MfaToken
from accounts.sign_in.memberships import default_membership
from crm.api.errors import InvalidToken, PermissionDenied, TokenExpired
from crm.env import env
from crm.env.parsers import derive_secret
from security.events.collector import record_event
from security.events.types import EventType

NOT_VALID = PENDING_NOT_VALID
IS_OVER = "The pending sign-in has expired; sign in again."


class PendingSignIn(NamedTuple):
    """What a sign-in that needs a second step is answered with."""

    token: MfaToken
    methods: list[str]


def begin_second_step(
    *, client: SigningClient, user: User, membership: Membership, factors: Factors
) -> PendingSignIn:
    """Return what the client needs for the second step.

    Recorded, since it tells that somebody knows the password, also when no code follows.
    """
    record_event(EventType.MFA_ASKED, user_id=user.pk, team_id=membership.team_id)
    token = MfaToken.pending_for(
        user.pk,
        fingerprint=_fingerprint(user, factors),
        device_name=client.device_name,
        in_body=client.in_body,
    )
    return PendingSignIn(token, factors.methods)


def read_pending(raw_token: str) -> MfaToken:
    """Return the verified token; raises `TokenExpired` or `InvalidToken`."""
    try:
        token = MfaToken(raw_token)  # type: ignore[arg-type]  # the stub wants a Token
        _ = token.session_id, token.user_id
    except ExpiredTokenError as error:
        raise TokenExpired(IS_OVER) from error
    except (TokenError, ValueError, AttributeError, TypeError) as error:
        raise InvalidToken(NOT_VALID) from error
    return token


def finish_sign_in(
    *, client: SigningClient, token: MfaToken, code: str, remember_device: bool
) -> SignedIn:
    """Judge the code, and start the session that the token stands for.

    Raises `InvalidToken` when the token was used, or password or factors changed since;
    `PermissionDenied` for a person without a team any more; what `check_code` raises.
    """
    user, factors = whom_it_stands_for(token)
    membership = default_membership(user.email)
    if membership is None:
        raise PermissionDenied("This account belongs to no team.")
    device = find_known_device(email=user.email, tokens=client.device_tokens)
    method = check_code(
        user=user,
        code=code,
        team_id=membership.team_id,
        source=device_with_own_count(user=user, device=device, factors=factors.fingerprint),
        pending=token.session_id,
    )
    proof = Proof(("password", method), token.session_id, factors.fingerprint, remember_device)
    try:
        return start_session(
            client=client,
            user=user,
            membership=membership,
            device=device,
            proof=proof,
        )
    except IntegrityError as error:
        if not is_used(token.session_id):
            raise
        # Another call with the same token and another code was faster.
        raise InvalidToken(NOT_VALID) from error


def whom_it_stands_for(token: MfaToken) -> tuple[User, Factors]:
    """Return whom the token stands for, as long as it does; raises `InvalidToken`."""
    user = User.objects.filter(pk=token.user_id, is_active=True).first()
    if user is None or is_used(token.session_id):
        raise InvalidToken(NOT_VALID)
    factors = factors_of(user.pk)
    if not hmac.compare_digest(token.fingerprint, _fingerprint(user, factors)):
        raise InvalidToken(NOT_VALID)
    return user, factors


def is_used(session_id: uuid.UUID) -> bool:
    """Tell whether the token has opened its session; asked first, so that no code is wasted."""
    return bool(Session.objects.filter(pk=session_id).exists())


def _fingerprint(user: User, factors: Factors) -> str:
    made_of = f"pending-sign-in:{user.pk}\0{user.password}\0{factors.fingerprint}"
    return derive_secret(env.secret_key, purpose=made_of)
