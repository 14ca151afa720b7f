"""One's passkeys: adding, renaming and removing them."""

import uuid
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from accounts.factors.factor_changes import Kept, factors_changed
from accounts.factors.second_factor import lock_user, renew_backup_codes
from accounts.factors.state import PASSKEY, factors_of
from accounts.models import BackupCode, ChallengePurpose, Passkey, User
from accounts.passkeys.ceremonies import (
    PasskeyRefused,
    known_transports,
    registration_options,
    verify_registration,
)
from accounts.passkeys.challenges import ChallengeUnknown, issue_challenge, take_challenge
from accounts.passkeys.encoding import encode
from crm.api.errors import Conflict, NotFound, ValidationFailed
from security.events.types import EventType

MOST_PASSKEYS = 20
LONGEST_ID = 1023  # Bytes (WebAuthn, section 4).
NOT_ACCEPTED = "The passkey was not accepted; try again."


class Registered(NamedTuple):
    """A new passkey, and the backup codes where it is the first factor."""

    passkey: Passkey
    backup_codes: list[str] | None


def begin_registration(*, user_id: uuid.UUID) -> dict[str, Any]:
    """Return the options for the browser; raises `Conflict` when there are too many passkeys."""
    user = User.objects.get(pk=user_id)
    known = list(Passkey.objects.filter(user=user))
    _require_room(len(known))
    challenge = issue_challenge(ChallengePurpose.REGISTER, user_id=user_id)
    return registration_options(user, challenge, known)


def register_passkey(
    *, user_id: uuid.UUID, credential: dict[str, Any], name: str, kept: Kept
) -> Registered:
    """Store the passkey that a browser made; raises `ValidationFailed`, and `Conflict` as above."""
    try:
        challenge = take_challenge(credential, ChallengePurpose.REGISTER, user_id=user_id)
        verified = verify_registration(credential, challenge)
        if not 1 <= len(verified.credential_id) <= LONGEST_ID:
            raise PasskeyRefused
    except (ChallengeUnknown, PasskeyRefused) as error:
        raise ValidationFailed(details={"credential": [NOT_ACCEPTED]}) from error
    try:
        with transaction.atomic():
            user = lock_user(user_id, kept)
            _require_room(Passkey.objects.filter(user=user).count())
            had_factor = bool(factors_of(user_id))
            passkey = Passkey.objects.create(
                user=user,
                name=name,
                credential_id=encode(verified.credential_id),
                public_key=verified.credential_public_key,
                sign_count=verified.sign_count,
                transports=known_transports(credential),
            )
            codes = None if had_factor else renew_backup_codes(user)
            factors_changed(EventType.MFA_ENABLED, user=user, kept=kept, method=PASSKEY)
    except IntegrityError as error:
        # SECURITY: an id that another account has is refused, not moved (WebAuthn, 7.1, step 26).
        raise ValidationFailed(details={"credential": [NOT_ACCEPTED]}) from error
    return Registered(passkey, codes)


def _require_room(count: int) -> None:
    if count >= MOST_PASSKEYS:
        raise Conflict(f"There are {MOST_PASSKEYS} passkeys already; remove one first.")


def rename_passkey(*, user_id: uuid.UUID, passkey_id: uuid.UUID, name: str) -> Passkey:
    """Give one of a user's passkeys another name; raises `NotFound`."""
    mine = Passkey.objects.filter(pk=passkey_id, user_id=user_id)
    if not mine.update(name=name):
        raise NotFound
    passkey: Passkey = mine.get()
    return passkey


def remove_passkey(*, user_id: uuid.UUID, passkey_id: uuid.UUID, kept: Kept) -> None:
    """Forget a passkey, and the backup codes with the last factor; raises `NotFound`."""
    with transaction.atomic():
        user = lock_user(user_id, kept)
        gone, _ = Passkey.objects.filter(pk=passkey_id, user=user).delete()
        if not gone:
            raise NotFound
        if not factors_of(user_id):
            BackupCode.objects.filter(user=user).delete()
        factors_changed(EventType.MFA_DISABLED, user=user, kept=kept, method=PASSKEY)
