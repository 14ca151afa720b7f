"""The two ceremonies of WebAuthn, for our domain and our pages."""

import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from accounts.models import Passkey, User
from accounts.passkeys.encoding import MALFORMED, decode
from crm.env import env

_TRANSPORTS = {transport.value for transport in AuthenticatorTransport}


class PasskeyRefused(Exception):
    """What was sent does not prove what it should."""


def registration_options(user: User, challenge: bytes, known: Iterable[Passkey]) -> dict[str, Any]:
    """Return what `navigator.credentials.create` takes, as JSON.

    The user's handle is their id, which tells nobody who they are. No attestation: which make of
    authenticator somebody has is none of our business.
    """
    options = generate_registration_options(
        rp_id=env.webauthn_rp_id,
        rp_name=settings.PRODUCT_NAME,
        user_id=user.pk.bytes,
        user_name=user.email,
        user_display_name=f"{user.first_name} {user.last_name}".strip() or user.email,
        challenge=challenge,
        exclude_credentials=_descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    return _as_json(options)


def login_options(challenge: bytes, known: Iterable[Passkey], *, alone: bool) -> dict[str, Any]:
    """Return what `navigator.credentials.get` takes, as JSON.

    With `alone` the passkey is all that is asked for, so its owner has to be verified by it.
    """
    return _as_json(
        generate_authentication_options(
            rp_id=env.webauthn_rp_id,
            challenge=challenge,
            allow_credentials=_descriptors(known),
            user_verification=_verification(alone=alone),
        )
    )


def verify_registration(credential: dict[str, Any], challenge: bytes) -> VerifiedRegistration:
    """Return the new credential; raises `PasskeyRefused`."""
    try:
        return verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=env.webauthn_rp_id,
            expected_origin=list(env.webauthn_origins),
        )
    except (WebAuthnException, *MALFORMED) as error:
        raise PasskeyRefused from error


def verify_login(
    credential: dict[str, Any], challenge: bytes, passkey: Passkey, *, alone: bool
) -> VerifiedAuthentication:
    """Return what the passkey proved; raises `PasskeyRefused`, also for a counter that stood still.

    The caller holds the lock on the passkey's row.
    """
    try:
        return verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=env.webauthn_rp_id,
            expected_origin=list(env.webauthn_origins),
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=alone,
        )
    except (WebAuthnException, *MALFORMED) as error:
        raise PasskeyRefused from error


def _descriptors(known: Iterable[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=decode(passkey.credential_id),
            transports=[AuthenticatorTransport(name) for name in passkey.transports],
        )
        for passkey in known
    ]


def known_transports(credential: dict[str, Any]) -> list[str]:
    """Return how the browser says the authenticator is reached; what we do not know is left out."""
    response = credential.get("response")
    named = response.get("transports") if isinstance(response, dict) else None
    named = named if isinstance(named, list) else []
    return sorted({name for name in named if isinstance(name, str)} & _TRANSPORTS)


def _verification(*, alone: bool) -> UserVerificationRequirement:
    if alone:
        return UserVerificationRequirement.REQUIRED
    return UserVerificationRequirement.PREFERRED


def _as_json(options: Any) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(options_to_json(options))
    return shown
