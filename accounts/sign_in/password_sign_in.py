"""Sign-in: an email and a password, and a code where there is a second factor."""

from accounts.devices.trust import device_with_own_count, is_trusted
from accounts.factors.state import factors_of
from accounts.guards.code_check import check_code
from accounts.guards.password_check import check_credentials, record_failure
from accounts.sessions.session_start import (
    BY_PASSWORD,
    Proof,
    SignedIn,
    SigningClient,
    start_session,
)
from accounts.sign_in.account_state import require_verified_address
from accounts.sign_in.memberships import default_membership
from accounts.sign_in.second_step import PendingSignIn, begin_second_step
from crm.api.errors import PermissionDenied


def sign_in(
    *,
    client: SigningClient,
    email: str,
    password: str,
    code: str | None = None,
    remember_device: bool = False,
) -> SignedIn | PendingSignIn:
    """Check the password, then the second factor where there is one, and start a session.

    Without a code, and from a device that is not trusted, the sign-in stays pending. Raises what
    `check_credentials` and `check_code` raise, `EmailNotVerified`, and `PermissionDenied` for a
    person without a team.
    """
    # Read before the hash, whose memory displaces what the processor had at hand.
    membership = default_membership(email)
    user, device = check_credentials(
        request=client.request, email=email, password=password, tokens=client.device_tokens
    )
    require_verified_address(user)
    if membership is None:
        record_failure(user.email, reason="no_team")
        raise PermissionDenied("This account belongs to no team.")
    factors, proof = factors_of(user.pk), BY_PASSWORD
    if factors and not is_trusted(user=user, device=device, factors=factors.fingerprint):
        if code is None:
            return begin_second_step(
                client=client, user=user, membership=membership, factors=factors
            )
        method = check_code(
            user=user,
            code=code,
            team_id=membership.team_id,
            source=device_with_own_count(user=user, device=device, factors=factors.fingerprint),
        )
        proof = Proof(("password", method), None, factors.fingerprint, remember_device)
    return start_session(
        client=client, user=user, membership=membership, device=device, proof=proof
    )
