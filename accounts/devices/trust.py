"""What a device gains by a second factor that was proved on it.

Its wrong codes are counted apart, and where its owner asks for it, it is trusted: it needs no
second factor for thirty days.

For the flow of the second factor:

1. `check_credentials` returns the user and the known device, or None, that the password came from.
2. `is_trusted(user=…, device=…, factors=…)` tells whether the code may be left out.
3. Where a code has to be judged, `device_with_own_count(user=…, device=…, factors=…)` tells who is
   counted apart.
4. When the sign-in is complete, `remember_device` returns the device's id; where it took a second
   factor, `note_second_factor(user=…, device_id=…, factors=…, is_trusted=…)` follows in the same
   transaction.
5. A change of password or factors calls `end_trust(user_id=…)`, so that the list of devices shows
   it. The fingerprint holds where that is forgotten.

`factors` is a text that changes whenever the user's factors do: `Factors.fingerprint`.
"""

import hashlib
import hmac
import uuid
from datetime import datetime

from django.utils import timezone

from accounts.models import Device, User
from accounts.models.device import TRUST_LIFETIME
from crm.env import env
from crm.env.parsers import derive_secret

_KEY = derive_secret(env.secret_key, purpose="device-trust").encode()


def note_second_factor(
    *, user: User, device_id: uuid.UUID, factors: str, is_trusted: bool
) -> datetime | None:
    """Note that a second factor was proved on a known device of the user, in one statement.

    With `is_trusted` the device is trusted from now on; return until when, None where it is not.
    """
    until = timezone.now() + TRUST_LIFETIME
    noted: dict[str, object] = {"proved_fingerprint": _proved_fingerprint(user, factors)}
    if is_trusted:
        noted |= {"trusted_until": until, "trust_fingerprint": _fingerprint(user, factors)}
    known = Device.objects.known().filter(pk=device_id, user=user).update(**noted)
    return until if known and is_trusted else None


def device_with_own_count(*, user: User, device: Device | None, factors: str) -> uuid.UUID | None:
    """Return the id of a device whose wrong codes are counted apart; None for strangers.

    SECURITY: only one that proved the present factors. A device is known by the password alone
    where there is no factor yet, and whoever has the password makes as many known as they like.
    """
    if device is None or device.user_id != user.pk or device.revoked_at is not None:
        return None
    is_proved = hmac.compare_digest(device.proved_fingerprint, _proved_fingerprint(user, factors))
    return device.pk if is_proved else None


def is_trusted(*, user: User, device: Device | None, factors: str) -> bool:
    """Tell whether the device may leave out the second factor; asks the database nothing.

    SECURITY: a new password, and factors that were added, removed or replaced, end every trust,
    since the fingerprint is made of both.
    """
    if device is None or device.user_id != user.pk or device.revoked_at is not None:
        return False
    if not device.is_trust_running:
        return False
    return hmac.compare_digest(device.trust_fingerprint, _fingerprint(user, factors))


def end_trust(*, user_id: uuid.UUID) -> int:
    """Trust none of the user's devices any more; return how many were trusted. They stay known."""
    trusted = Device.objects.filter(user_id=user_id, trusted_until__isnull=False)
    return int(trusted.update(trusted_until=None, trust_fingerprint=""))


def _fingerprint(user: User, factors: str) -> str:
    made_of = f"{user.pk}\0{user.password}\0{factors}".encode()
    return hmac.new(_KEY, made_of, hashlib.sha256).hexdigest()


def _proved_fingerprint(user: User, factors: str) -> str:
    """Return it without the password: who changes that is not made a stranger by it."""
    return hmac.new(_KEY, f"proved:{user.pk}\0{factors}".encode(), hashlib.sha256).hexdigest()
