"""Known devices: how a sign-in finds its own, makes one known, and how their owner forgets them."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.devices.cookie import tokens_in_cookie
from accounts.devices.names import device_name
from accounts.devices.tokens import DeviceToken, new_token, read_token
from accounts.models import Device, RevokeReason, Session, User
from accounts.models.device import MOST_DEVICES
from security.events.collector import record_event
from security.events.types import EventType
from security.request.context import in_context


class Remembered(NamedTuple):
    """A device after a sign-in: its row's id and the token that it has to hold."""

    device_id: uuid.UUID
    token: DeviceToken
    is_new: bool


def sent_tokens(request: HttpRequest, in_body: str | None = None) -> list[DeviceToken]:
    """Return the device tokens of a call: those of the cookie, or the one in the body.

    `in_body` is None for a browser; an app sends what it has, or an empty text.
    """
    if in_body is None:
        return tokens_in_cookie(request)
    token = read_token(in_body)
    return [] if token is None else [token]


def find_known_device(
    *, email: str, tokens: Sequence[DeviceToken], session_id: uuid.UUID | None = None
) -> Device | None:
    """Return the device by which the owner of an address is known, or None for a stranger.

    `email` is normalised; `session_id` is a session that the caller has proved. Where there is
    nothing to go by, nothing is asked. A token of somebody else's, and one of a device that was
    revoked, find nothing.
    """
    if not tokens and session_id is None:
        return None
    hashes = {token.hash: token.user_id for token in tokens}
    proved = Q(token_hash__in=hashes)
    if session_id is not None:
        proved |= Q(pk__in=Session.objects.filter(pk=session_id).values("device_id"))
    found = Device.objects.known().filter(proved, user__email=email)
    return next(
        (device for device in found if hashes.get(device.token_hash) in {device.user_id, None}),
        None,
    )


def known_devices(*, user_id: uuid.UUID, session_id: uuid.UUID) -> QuerySet[Device]:
    """Return a user's last hundred known devices; `is_current` is the session's own."""
    current = Session.objects.filter(pk=session_id, device_id=OuterRef("pk"))
    devices: QuerySet[Device] = Device.objects.known().filter(user_id=user_id)
    return devices.annotate(is_current=Exists(current))[:MOST_DEVICES]


def remember_device(
    *,
    request: HttpRequest,
    user: User,
    device: Device | None,
    tokens: Sequence[DeviceToken],
    name: str = "",
) -> Remembered:
    """Make the device of a complete sign-in known, or note that it was seen again.

    Call it where the session is opened, in the same transaction, and only when nothing is missing
    any more: whoever knows the password alone is a stranger still. `device` is what
    `find_known_device` found. One statement. `set_device_cookie` gives a browser the token, which
    stays the same as long as the device is known.
    """
    now = timezone.now()
    user_agent = request.headers.get("User-Agent", "").replace("\0", "")[:400]
    seen = {
        "last_seen_at": now,
        "ip_address": in_context(request).client_ip,
        "user_agent": user_agent,
    }
    held = [token for token in tokens if device is not None and token.hash == device.token_hash]
    if device is not None and held:
        again = seen | ({"name": name} if name else {})
        if Device.objects.known().filter(pk=device.pk, user=user).update(**again):
            return Remembered(device.pk, held[0], is_new=False)
    token = new_token(user.pk)
    made = Device(
        user=user,
        token_hash=token.hash,
        name=name or device_name(user_agent),
        first_seen_at=now,
        # The very first sign-in of an account comes from no new device.
        is_announced=user.last_login is None,
        **seen,
    )
    made.save(force_insert=True)
    return Remembered(made.pk, token, is_new=True)


def revoke_device(
    *, user_id: uuid.UUID, device_id: uuid.UUID, kept_session: uuid.UUID | None = None
) -> bool:
    """Forget one of a user's devices; False when the user has no such device.

    What signed in on it ends too, but for `kept_session`, from which the owner asks.
    """
    with transaction.atomic():
        # The user's row first, as changes of passwords and factors lock it before both others.
        User.objects.select_for_update(no_key=True).only("pk").get(pk=user_id)
        if not Device.objects.filter(user_id=user_id, pk=device_id).revoke():
            return False
        sessions = Session.objects.filter(user_id=user_id, device_id=device_id)
        ended = sessions.exclude(pk=kept_session).revoke(RevokeReason.DEVICE_REVOKED)
    record_event(
        EventType.DEVICE_REVOKED, user_id=user_id, device_id=device_id, sessions_ended=ended
    )
    return True


def revoke_all_devices(*, user_id: uuid.UUID) -> int:
    """Forget every device of a user, as a password reset does; return how many were known.

    Sessions are the caller's business: `end_all_sessions`.
    """
    count = int(Device.objects.filter(user_id=user_id).revoke())
    if count:
        record_event(EventType.DEVICE_REVOKED, user_id=user_id, devices_revoked=count)
    return count
