"""Trusted devices, which need no second factor for thirty days.

For the flow of the second factor:

1. `check_credentials` returns the user and the known device, or None, that the password came from.
2. `is_trusted(user=…, device=…, factors=…)` tells whether the code may be left out.
3. When the sign-in is complete, `remember_device` returns the device's id; where the owner asked
   for it, `trust_device(user=…, device_id=…, factors=…)` follows in the same transaction.
4. A change of password or factors calls `end_trust(user_id=…)`, so that the list of devices shows
   it. The fingerprint holds where that is forgotten.

`factors` is a text that changes whenever the user's factors do, such as the ids of the confirmed
ones with the times at which they were made.
"""

import hashlib
import hmac
import uuid
from datetime import datetime

from django.utils import timezone

from accounts.models import Device, User
from accounts.models.device import TRUST_LIFETIME
from crm.env import env
from crm.env_parsers import derive_secret

_KEY = derive_secret(env.secret_key, purpose="device-trust").encode()


def trust_device(*, user: User, device_id: uuid.UUID, factors: str) -> datetime | None:
    """Trust a known device of the user from now on; return until when, None for no such device."""
    until = timezone.now() + TRUST_LIFETIME
    trusted = (
        Device.objects.known()
        .filter(pk=device_id, user=user)
        .update(trusted_until=until, trust_fingerprint=_fingerprint(user, factors))
    )
    return until if trusted else None


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
