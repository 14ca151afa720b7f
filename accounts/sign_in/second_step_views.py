"""`/v1/auth/2fa/verify`: the second step of a sign-in."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.descriptions import SIGNED_IN
from accounts.factors.serializers import SecondStepSerializer
from accounts.sign_in.answers import signed_in_response, signing_client
from accounts.sign_in.second_step import finish_sign_in, read_pending
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


class VerifyFactorView(ApiView):
    """Finish a sign-in with a code."""

    authentication_classes = ()
    permission_classes = (Public,)
    anonymous_limit = "login_calls"  # wrong codes are counted by accounts.guards.code_check

    @describe(
        body=SecondStepSerializer,
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
        """Answer as a sign-in does, the tokens the way the first step asked for."""
        serializer = SecondStepSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        token = read_pending(values["mfa_token"])
        client = signing_client(
            request,
            in_body=token.in_body,
            device_name=token.device_name,
            device_token=values.get("device_token"),
        )
        signed_in = finish_sign_in(
            client=client,
            token=token,
            code=values["code"],
            remember_device=values["remember_device"],
        )
        wants_device_token = "device_token" in values
        return signed_in_response(signed_in, client, wants_device_token=wants_device_token)
