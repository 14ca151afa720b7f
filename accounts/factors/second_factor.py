"""Setting up, changing and ending the second factor."""

import uuid
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.factors.backup_codes import CODE_COUNT, hashes_of, new_code
from accounts.factors.factor_changes import EVERY, NOTHING, Kept, factors_changed
from accounts.factors.state import TOTP, factors_of
from accounts.factors.totp import new_seed, otpauth_uri, qr_svg, written_seed
from accounts.models import BackupCode, Passkey, TotpDevice, User
from accounts.sessions.live_session import require_live_session
from crm.api.errors import Conflict, ValidationFailed
from security.events.types import EventType


class Setup(NamedTuple):
    """What an authenticator app needs, shown once."""

    secret: str
    otpauth_uri: str
    qr_svg: str


def set_up_totp(*, user_id: uuid.UUID, kept: Kept) -> Setup:
    """Begin with a new app and return its secret; an unfinished beginning is forgotten.

    Raises `Conflict` while an app is confirmed: that one has to be given up first.
    """
    with transaction.atomic():
        user = lock_user(user_id, kept)
        if TotpDevice.objects.filter(user=user, confirmed=True).exists():
            raise Conflict("An authenticator app is set up already; disable it first.")
        TotpDevice.objects.filter(user=user, confirmed=False).delete()
        device = TotpDevice(user=user, name="Authenticator app", confirmed=False)
        seed = new_seed()
        device.set_seed(seed)
        device.save()
    return _shown(device, seed)


def unfinished_set_up(*, user_id: uuid.UUID) -> Setup | None:
    """Return what was begun with and is not confirmed, to show it again; None for nothing."""
    device = TotpDevice.objects.filter(user_id=user_id, confirmed=False).first()
    return None if device is None else _shown(device, device.seed())


def confirm_totp(*, user_id: uuid.UUID, code: str, kept: Kept) -> list[str]:
    """Turn on the app that was begun with, by a code of it, and return new backup codes.

    Raises `Conflict` when nothing was begun, `ValidationFailed` for a wrong code. Wrong codes are
    not counted here: who may set up a factor was shown the secret.
    """
    with transaction.atomic():
        user = lock_user(user_id, kept)
        device = TotpDevice.objects.filter(user=user, confirmed=False).first()
        if device is None:
            raise Conflict("Nothing to confirm; set up an authenticator app first.")
        # The code counts as used from here on, so that it signs nobody in.
        if not device.verify_token(code):
            raise ValidationFailed(details={"code": ["Wrong code."]})
        device.confirmed, device.confirmed_at = True, timezone.now()
        device.save(update_fields=["confirmed", "confirmed_at"])
        codes = renew_backup_codes(user)
        factors_changed(EventType.MFA_ENABLED, user=user, kept=kept, method=TOTP)
    return codes


def disable_totp(*, user_id: uuid.UUID, kept: Kept) -> None:
    """Give up the app, and the backup codes with the last factor; raises `Conflict` without one."""
    with transaction.atomic():
        user = lock_user(user_id, kept)
        if not TotpDevice.objects.filter(user=user, confirmed=True).exists():
            raise Conflict("No authenticator app is set up.")
        TotpDevice.objects.filter(user=user).delete()
        if not factors_of(user_id):
            BackupCode.objects.filter(user=user).delete()
        factors_changed(EventType.MFA_DISABLED, user=user, kept=kept, method=TOTP)


def replace_backup_codes(*, user_id: uuid.UUID, kept: Kept) -> list[str]:
    """Return ten new backup codes; the old ones end. Raises `Conflict` without a second factor."""
    with transaction.atomic():
        user = lock_user(user_id, kept)
        if not factors_of(user_id):
            raise Conflict("Backup codes belong to a second factor; set one up first.")
        codes = renew_backup_codes(user)
        factors_changed(EventType.BACKUP_CODES_REPLACED, user=user, kept=kept)
    return codes


def reset_second_factor(*, user_id: uuid.UUID) -> bool:
    """Take every factor away from somebody who lost it, for staff and operators.

    All their sessions end. Return False, and do nothing, when there is none.
    """
    with transaction.atomic():
        user = lock_user(user_id, NOTHING)
        if not factors_of(user_id):
            return False
        TotpDevice.objects.filter(user=user).delete()
        Passkey.objects.filter(user=user).delete()
        BackupCode.objects.filter(user=user).delete()
        factors_changed(EventType.MFA_RESET, user=user, kept=NOTHING, method=EVERY)
    return True


def renew_backup_codes(user: User) -> list[str]:
    """Store the hashes of ten new codes in place of all old ones, and return the codes."""
    codes = [new_code() for _ in range(CODE_COUNT)]
    BackupCode.objects.filter(user=user).delete()
    BackupCode.objects.bulk_create(
        BackupCode(user=user, code_hash=hashes_of(code, user_id=user.pk)[0]) for code in codes
    )
    return codes


def _shown(device: TotpDevice, seed: bytes) -> Setup:
    uri = otpauth_uri(seed, account=device.user.email)
    return Setup(written_seed(seed), uri, qr_svg(uri))


def lock_user(user_id: uuid.UUID, kept: Kept) -> User:
    """Return the user, locked: factors of one person change one at a time.

    Raises `SessionRevoked` when the session from which they change has ended meanwhile.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    if kept.session_id is not None:
        require_live_session(user_id=user_id, session_id=kept.session_id)
    return user
