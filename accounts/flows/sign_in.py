"""Sign-in: an email and a password become a session and its first tokens."""

from accounts.flows.password_check import check_credentials, record_failure
from accounts.flows.session_start import SignedIn, SigningClient, start_session
from accounts.models import Membership
from crm.api.errors import PermissionDenied
from security.identifiers import normalize_email


def sign_in(*, client: SigningClient, email: str, password: str) -> SignedIn:
    """Check the password, and start a session.

    Raises what `check_credentials` raises, and `PermissionDenied` for a person without a team.
    """
    # Read before the hash, whose memory displaces what the processor had at hand.
    membership = default_membership(email)
    user, device = check_credentials(
        request=client.request, email=email, password=password, tokens=client.device_tokens
    )
    if membership is None:
        record_failure(user.email, reason="no_team")
        raise PermissionDenied("This account belongs to no team.")
    return start_session(client=client, user=user, membership=membership, device=device)


def default_membership(email: str) -> Membership | None:
    """Return the membership that a sign-in opens: the first of the user's active ones."""
    return (
        Membership.objects.filter(
            user__email=normalize_email(email), is_active=True, team__is_active=True
        )
        .select_related("team", "user")
        .order_by("created_at", "pk")
        .first()
    )
