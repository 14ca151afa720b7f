"""`/v1/auth/passkeys/login/…`: signing in with a passkey."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.descriptions import SIGNED_IN
from accounts.guards.passkey_proof import passkey_options
from accounts.models import ChallengePurpose
from accounts.passkeys.serializers import PasskeyLoginOptionsSerializer, PasskeyLoginSerializer
from accounts.passkeys.views import OPTIONS
from accounts.sign_in.answers import IN_BODY, signed_in_response, signing_client
from accounts.sign_in.passkey_sign_in import finish_by_passkey, sign_in_by_passkey
from accounts.sign_in.second_step import read_pending, whom_it_stands_for
from crm.api.envelope import success
from crm.api.errors import (
    AuthRateLimited,
    CsrfFailed,
    InvalidCredentials,
    InvalidToken,
    PermissionDenied,
    TokenExpired,
)
from crm.api.schema.describe import describe
from security.access.permissions import Public
from security.access.views import ApiView


class PasskeyLoginOptionsView(ApiView):
    """The first half of signing in with a passkey."""

    authentication_classes = ()
    permission_classes = (Public,)
    anonymous_limit = "login_calls"

    @describe(
        body=PasskeyLoginOptionsSerializer,
        data=OPTIONS,
        errors=(InvalidToken, TokenExpired, AuthRateLimited),
    )
    def post(self, request: Request) -> Response:
        """Answer what `navigator.credentials.get` takes; it tells nothing about any account."""
        serializer = PasskeyLoginOptionsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        raw_token = serializer.validated_data.get("mfa_token")
        if raw_token is None:
            options = passkey_options(ChallengePurpose.SIGN_IN, user_id=None)
        else:
            user, _ = whom_it_stands_for(read_pending(raw_token))
            options = passkey_options(ChallengePurpose.SECOND_STEP, user_id=user.pk)
        return success({"options": options})


class PasskeyLoginView(ApiView):
    """Sign in with a passkey, alone or behind a password."""

    authentication_classes = ()
    permission_classes = (Public,)
    anonymous_limit = "login_calls"

    @describe(
        body=PasskeyLoginSerializer,
        data=SIGNED_IN,
        errors=(
            InvalidCredentials,
            InvalidToken,
            TokenExpired,
            PermissionDenied,
            CsrfFailed,
            AuthRateLimited,
        ),
    )
    def post(self, request: Request) -> Response:
        """Answer as a sign-in does."""
        serializer = PasskeyLoginSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        raw_token = values.get("mfa_token")
        token = None if raw_token is None else read_pending(raw_token)
        client = signing_client(
            request,
            in_body=values["token_delivery"] == IN_BODY if token is None else token.in_body,
            device_name=values["device_name"] if token is None else token.device_name,
            device_token=values.get("device_token"),
        )
        if token is None:
            signed_in = sign_in_by_passkey(client=client, credential=values["credential"])
        else:
            signed_in = finish_by_passkey(
                client=client,
                token=token,
                credential=values["credential"],
                remember_device=values["remember_device"],
            )
        wants_device_token = "device_token" in values
        return signed_in_response(signed_in, client, wants_device_token=wants_device_token)
