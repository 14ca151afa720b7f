"""Challenges: random, kept on the server for five minutes, and answered once."""

import hashlib
import secrets
import uuid
from typing import Any

from django.utils import timezone
from webauthn.helpers import parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import CollectedClientData

from accounts.models import ChallengePurpose, PasskeyChallenge
from accounts.models.passkey import CHALLENGE_LIFETIME
from accounts.passkeys.encoding import MALFORMED, decode

_BYTES = 32


class ChallengeUnknown(Exception):
    """Never handed out, answered before, too old, or handed out for something else."""


def issue_challenge(purpose: ChallengePurpose, *, user_id: uuid.UUID | None) -> bytes:
    """Return a new challenge; those that are too old go."""
    too_old = timezone.now() - CHALLENGE_LIFETIME
    PasskeyChallenge.objects.filter(created_at__lt=too_old).delete()
    challenge = secrets.token_bytes(_BYTES)
    PasskeyChallenge.objects.create(
        challenge_hash=_hash(challenge), purpose=purpose, user_id=user_id
    )
    return challenge


def take_challenge(
    credential: dict[str, Any], purpose: ChallengePurpose, *, user_id: uuid.UUID | None
) -> bytes:
    """Return the challenge that a credential answers, and forget it; raises `ChallengeUnknown`.

    SECURITY: taken before anything is verified, in one statement: what is sent at once, or again,
    finds no challenge.
    """
    challenge = _answered(credential).challenge
    taken, _ = PasskeyChallenge.objects.filter(
        challenge_hash=_hash(challenge),
        purpose=purpose,
        user_id=user_id,
        created_at__gt=timezone.now() - CHALLENGE_LIFETIME,
    ).delete()
    if not taken:
        raise ChallengeUnknown
    return challenge


def _answered(credential: dict[str, Any]) -> CollectedClientData:
    try:
        return parse_client_data_json(decode(credential["response"]["clientDataJSON"]))
    except (WebAuthnException, *MALFORMED) as error:
        raise ChallengeUnknown from error


def _hash(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()
