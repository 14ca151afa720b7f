"""Sign-in: an email and a password become a session and its first tokens."""

from typing import NamedTuple

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.flows.password_check import check_password, record_failure
from accounts.flows.sign_out import end_session_of_token
from accounts.models import Membership, RevokeReason, Session, User
from accounts.token_ledger import record_issued
from accounts.tokens import AccessToken, RefreshToken
from crm.api.errors import PermissionDenied
from crm.env import env
from security.events.collector import record_event
from security.events.types import EventType
from security.identifiers import normalize_email
from security.request_context import in_context


class SignedIn(NamedTuple):
    """The outcome of a sign-in."""

    membership: Membership
    access_token: AccessToken
    refresh_token: RefreshToken
    raw_refresh_token: str


def sign_in(
    *,
    request: HttpRequest,
    email: str,
    password: str,
    device_name: str = "",
    replaced_refresh_token: str | None = None,
) -> SignedIn:
    """Check the password, end the browser's old session, and open a new one.

    `replaced_refresh_token` is the cookie that the browser still held (ASVS v5.0.0-7.2.4). Raises
    what `check_password` raises, and `PermissionDenied` for a person without a team.
    """
    # Read before the hash, whose memory displaces what the processor had at hand.
    membership = default_membership(email)
    user = check_password(request=request, email=email, password=password)
    if membership is None:
        record_failure(user.email, reason="no_team")
        raise PermissionDenied("This account belongs to no team.")
    if replaced_refresh_token:
        end_session_of_token(replaced_refresh_token, reason=RevokeReason.SIGNED_IN_AGAIN)
    with transaction.atomic():
        session = _open_session(request, membership, device_name)
        User.objects.filter(pk=user.pk).update(last_login=session.created_at)
        refresh_token = RefreshToken.of_generation(session)
        raw_refresh_token = str(refresh_token)
        record_issued(session, refresh_token, raw_refresh_token)
    record_event(
        EventType.SIGN_IN_SUCCEEDED,
        user_id=user.pk,
        team_id=membership.team_id,
        session_id=session.pk,
        device_name=device_name,
    )
    access_token = AccessToken.for_session(session, team_id=membership.team_id)
    return SignedIn(membership, access_token, refresh_token, raw_refresh_token)


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


def _open_session(request: HttpRequest, membership: Membership, device_name: str) -> Session:
    now = timezone.now()
    session: Session = Session.objects.create(
        user_id=membership.user_id,
        team_id=membership.team_id,
        device_name=device_name,
        user_agent=request.headers.get("User-Agent", "").replace("\0", "")[:400],
        ip_address=in_context(request).client_ip,
        created_at=now,
        last_seen_at=now,
        rotated_at=now,
        expires_at=now + env.session_absolute_lifetime,
    )
    return session
