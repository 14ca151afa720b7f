"""Proving oneself by a passkey: the one guard behind every form and endpoint that takes one."""

import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import ChallengePurpose, Passkey, User
from accounts.passkeys.ceremonies import PasskeyRefused, login_options, verify_login
from accounts.passkeys.challenges import ChallengeUnknown, issue_challenge, take_challenge
from accounts.passkeys.encoding import encode
from crm.api.errors import InvalidCredentials
from security.events.collector import record_event
from security.events.types import EventType

NOT_ACCEPTED = "The passkey was not accepted."


def passkey_options(purpose: ChallengePurpose, *, user_id: uuid.UUID | None) -> dict[str, Any]:
    """Return the options for the browser: of one user's passkeys, or of whatever it has."""
    challenge = issue_challenge(purpose, user_id=user_id)
    known = [] if user_id is None else list(Passkey.objects.filter(user_id=user_id))
    return login_options(challenge, known, alone=user_id is None)


def check_passkey(
    *, credential: dict[str, Any], purpose: ChallengePurpose, user_id: uuid.UUID | None
) -> User:
    """Return the user whose passkey answered a challenge of this purpose.

    With `user_id` None the passkey alone signs in, and has to have verified its owner. Raises
    `InvalidCredentials`, whatever is wrong. There is nothing to guess, so nothing is counted.
    """
    try:
        challenge = take_challenge(credential, purpose, user_id=user_id)
        with transaction.atomic():
            return _use(credential, challenge, user_id)
    except (ChallengeUnknown, PasskeyRefused) as error:
        record_event(EventType.MFA_FAILED, user_id=user_id, reason="passkey", method="passkey")
        raise InvalidCredentials(NOT_ACCEPTED) from error


def _use(credential: dict[str, Any], challenge: bytes, user_id: uuid.UUID | None) -> User:
    passkey = _lock(credential, user_id)
    verified = verify_login(credential, challenge, passkey, alone=user_id is None)
    passkey.sign_count = verified.new_sign_count
    passkey.last_used_at = timezone.now()
    passkey.save(update_fields=["sign_count", "last_used_at"])
    return passkey.user


def _lock(credential: dict[str, Any], user_id: uuid.UUID | None) -> Passkey:
    """Return the passkey that is named, locked, as long as its user is active."""
    passkeys = Passkey.objects.select_for_update(of=("self",)).select_related("user")
    found = passkeys.filter(
        credential_id=str(credential.get("id"))[:1364], user__is_active=True
    ).first()
    if found is None or (user_id is not None and found.user_id != user_id):
        raise PasskeyRefused
    handle = credential["response"].get("userHandle")
    # Section 7.2, step 6: what the authenticator says of its user has to agree.
    if (handle is not None or user_id is None) and handle != encode(found.user_id.bytes):
        raise PasskeyRefused
    return found  # type: ignore[no-any-return]  # the manager has no type
