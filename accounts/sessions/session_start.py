"""The last step of every sign-in: who they are is proved, and a session begins."""

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.devices.known_devices import Remembered, remember_device
from accounts.devices.tokens import DeviceToken
from accounts.devices.trust import note_second_factor
from accounts.models import Device, Membership, RevokeReason, Session, User
from accounts.sessions.sign_out import end_session_of_token
from accounts.sessions.token_ledger import record_issued
from accounts.sessions.tokens import AccessToken, RefreshToken
from crm.api.errors import InvalidCredentials
from crm.db.ids import uuid7
from crm.env import env
from security.events.collector import record_event
from security.events.types import EventType
from security.request.context import in_context


class SigningClient(NamedTuple):
    """The browser or app that signs in, and what it holds.

    `replaced_refresh_token` is the cookie of its old session, `device_tokens` what `sent_tokens`
    returns; `in_body` says that it takes tokens in the body, as an app does.
    """

    request: HttpRequest
    device_name: str = ""
    device_tokens: Sequence[DeviceToken] = ()
    replaced_refresh_token: str | None = None
    in_body: bool = False


class SignedIn(NamedTuple):
    """The outcome of a sign-in."""

    membership: Membership
    access_token: AccessToken
    refresh_token: RefreshToken
    raw_refresh_token: str
    remembered: Remembered


class Proof(NamedTuple):
    """How somebody proved who they are.

    `session_id` is the id that a pending sign-in gave its session; `factors` is the fingerprint of
    the second factors, where one was proved; with `trust_device` the device may leave them out from
    now on.
    """

    methods: tuple[str, ...] = ("password",)
    session_id: uuid.UUID | None = None
    factors: str | None = None
    trust_device: bool = False


BY_PASSWORD = Proof()

# SECURITY: what was judged before has to stand at the moment at which the session opens. Whoever
# changes the password or a factor locks the user's row before ending the sessions, and whoever
# deactivates a member the membership's: they come first and nothing is updated, or they come later
# and find the session. A subquery that locks nothing would be read as of before the wait.
_NOTE_SIGN_IN = """
    UPDATE accounts_user AS u
       SET last_login = %(now)s
      FROM (SELECT m.user_id
              FROM accounts_membership AS m
              JOIN accounts_team AS t ON t.id = m.team_id
             WHERE m.id = %(membership_id)s AND m.is_active AND t.is_active
               FOR SHARE OF m) AS place
     WHERE u.id = place.user_id
       AND u.id = %(user_id)s
       AND u.is_active
       AND u.password_changed_at = %(password_changed_at)s
       AND u.factors_version = %(factors_version)s
"""


def start_session(
    *,
    client: SigningClient,
    user: User,
    membership: Membership,
    device: Device | None,
    proof: Proof = BY_PASSWORD,
) -> SignedIn:
    """End the browser's old session (ASVS v5.0.0-7.2.4), open a new one, make the device known.

    `device` is the known one that `check_credentials` or `find_known_device` found. Raises
    `InvalidCredentials` when the password, the factors or the membership changed since they were
    judged.
    """
    if client.replaced_refresh_token:
        end_session_of_token(client.replaced_refresh_token, reason=RevokeReason.SIGNED_IN_AGAIN)
    with transaction.atomic():
        # The user's row first, as wherever it is locked with those of devices and sessions.
        _note_sign_in(user, membership)
        remembered = remember_device(
            request=client.request,
            user=user,
            device=device,
            tokens=client.device_tokens,
            name=client.device_name,
        )
        if proof.factors is not None:
            note_second_factor(
                user=user,
                device_id=remembered.device_id,
                factors=proof.factors,
                is_trusted=proof.trust_device,
            )
        session = _open_session(client, membership, remembered, session_id=proof.session_id)
        refresh_token = RefreshToken.of_generation(session)
        raw_refresh_token = str(refresh_token)
        record_issued(session, refresh_token, raw_refresh_token)
    record_event(
        EventType.SIGN_IN_SUCCEEDED,
        user_id=user.pk,
        team_id=membership.team_id,
        session_id=session.pk,
        device_name=client.device_name,
        device_id=remembered.device_id,
        is_new_device=remembered.is_new,
        methods=list(proof.methods),
    )
    access_token = AccessToken.for_session(session, team_id=membership.team_id)
    return SignedIn(membership, access_token, refresh_token, raw_refresh_token, remembered)


def _note_sign_in(user: User, membership: Membership) -> None:
    """Note the time on the user; refuse what something has overtaken."""
    judged: dict[str, Any] = {
        "now": timezone.now(),
        "user_id": user.pk,
        "membership_id": membership.pk,
        "password_changed_at": user.password_changed_at,
        "factors_version": user.factors_version,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_SIGN_IN, judged)
        if not cursor.rowcount:
            raise InvalidCredentials


def _open_session(
    client: SigningClient,
    membership: Membership,
    remembered: Remembered,
    *,
    session_id: uuid.UUID | None,
) -> Session:
    now = timezone.now()
    session: Session = Session.objects.create(
        pk=session_id or uuid7(),
        user_id=membership.user_id,
        team_id=membership.team_id,
        device_id=remembered.device_id,
        device_name=client.device_name,
        user_agent=client.request.headers.get("User-Agent", "").replace("\0", "")[:400],
        ip_address=in_context(client.request).client_ip,
        created_at=now,
        last_seen_at=now,
        rotated_at=now,
        expires_at=now + env.session_absolute_lifetime,
    )
    return session
