"""The last step of every sign-in: who they are is proved, and a session begins."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.devices.tokens import DeviceToken
from accounts.flows.device_trust import trust_device
from accounts.flows.devices import Remembered, remember_device
from accounts.flows.sign_out import end_session_of_token
from accounts.models import Device, Membership, RevokeReason, Session, User
from accounts.token_ledger import record_issued
from accounts.tokens import AccessToken, RefreshToken
from crm.api.errors import InvalidCredentials
from crm.db.models import uuid7
from crm.env import env
from security.events.collector import record_event
from security.events.types import EventType
from security.request_context import in_context


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

    `session_id` is the id that a pending sign-in gave its session; `trusted_factors` is the
    fingerprint of the factors that the device may leave out from now on.
    """

    methods: tuple[str, ...] = ("password",)
    session_id: uuid.UUID | None = None
    trusted_factors: str | None = None


BY_PASSWORD = Proof()


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
    `InvalidCredentials` when the password was changed since it was judged.
    """
    if client.replaced_refresh_token:
        end_session_of_token(client.replaced_refresh_token, reason=RevokeReason.SIGNED_IN_AGAIN)
    with transaction.atomic():
        # The user's row first, as wherever it is locked with those of devices and sessions.
        _note_sign_in(user)
        remembered = remember_device(
            request=client.request,
            user=user,
            device=device,
            tokens=client.device_tokens,
            name=client.device_name,
        )
        if proof.trusted_factors is not None:
            trust_device(user=user, device_id=remembered.device_id, factors=proof.trusted_factors)
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


def _note_sign_in(user: User) -> None:
    """Note the time on the user; refuse what a new password has overtaken.

    SECURITY: whoever changes the password locks this row before ending the sessions. Without the
    condition, a sign-in that was judged by the old one could open its session just after that.
    """
    same = User.objects.filter(pk=user.pk, password_changed_at=user.password_changed_at)
    if not same.update(last_login=timezone.now()):
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
