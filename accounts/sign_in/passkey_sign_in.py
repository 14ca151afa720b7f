"""Signing in with a passkey: alone, or as the second step behind a password."""

from typing import Any

from django.db import IntegrityError

from accounts.devices.known_devices import find_known_device
from accounts.factors.state import PASSKEY, factors_of
from accounts.guards.passkey_proof import check_passkey
from accounts.guards.password_check import record_failure
from accounts.models import ChallengePurpose, Membership, User
from accounts.sessions.session_start import Proof, SignedIn, SigningClient, start_session
from accounts.sessions.tokens import MfaToken
from accounts.sign_in.account_state import require_verified_address
from accounts.sign_in.memberships import default_membership
from accounts.sign_in.second_step import NOT_VALID, is_used, whom_it_stands_for
from crm.api.errors import InvalidToken, PermissionDenied


def sign_in_by_passkey(*, client: SigningClient, credential: dict[str, Any]) -> SignedIn:
    """Start a session of whoever the passkey belongs to.

    A password that was locked by failures does not matter here. Raises `InvalidCredentials`,
    `EmailNotVerified`, and `PermissionDenied` for a person without a team.
    """
    user = check_passkey(credential=credential, purpose=ChallengePurpose.SIGN_IN, user_id=None)
    return _start(client, user, Proof((PASSKEY,), factors=factors_of(user.pk).fingerprint))


def finish_by_passkey(
    *,
    client: SigningClient,
    token: MfaToken,
    credential: dict[str, Any],
    remember_device: bool,
) -> SignedIn:
    """Finish a pending sign-in; raises what `finish_sign_in` raises."""
    user, factors = whom_it_stands_for(token)
    check_passkey(credential=credential, purpose=ChallengePurpose.SECOND_STEP, user_id=user.pk)
    proof = Proof(
        methods=("password", PASSKEY),
        session_id=token.session_id,
        factors=factors.fingerprint,
        trust_device=remember_device,
    )
    try:
        return _start(client, user, proof)
    except IntegrityError as error:
        if not is_used(token.session_id):
            raise
        raise InvalidToken(NOT_VALID) from error


def _start(client: SigningClient, user: User, proof: Proof) -> SignedIn:
    require_verified_address(user)
    membership = _membership(user)
    device = find_known_device(email=user.email, tokens=client.device_tokens)
    return start_session(
        client=client, user=user, membership=membership, device=device, proof=proof
    )


def _membership(user: User) -> Membership:
    membership = default_membership(user.email)
    if membership is None:
        record_failure(user.email, reason="no_team")
        raise PermissionDenied("This account belongs to no team.")
    return membership
