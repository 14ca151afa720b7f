"""`/v1/auth/reauthenticate`: what makes a session fresh."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers import ReauthenticateSerializer
from accounts.sign_in.reauthenticate import (
    reauthenticate_by_code,
    reauthenticate_by_passkey,
    reauthenticate_by_password,
)
from crm.api.envelope import success
from crm.api.errors import AccountLocked, AuthRateLimited, InvalidCredentials
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import INTEGER, record
from crm.env import env
from security.access.permissions import IsSignedInUser
from security.access.views import ApiView
from security.rate_limits.table import SESSION_LIMIT


class ReauthenticateView(ApiView):
    """Prove again who one is."""

    permission_classes = (IsSignedInUser,)
    caller_limit = SESSION_LIMIT

    @describe(
        body=ReauthenticateSerializer,
        data=record(freshForSeconds=INTEGER),
        errors=(InvalidCredentials, AccountLocked, AuthRateLimited),
    )
    def post(self, request: Request) -> Response:
        """Make this session fresh for a few minutes."""
        serializer = ReauthenticateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        if "credential" in values:
            reauthenticate_by_passkey(actor=self.actor, credential=values["credential"])
        elif "code" in values:
            reauthenticate_by_code(actor=self.actor, code=values["code"])
        else:
            reauthenticate_by_password(
                request=request._request, actor=self.actor, password=values["password"]
            )
        return success({"freshForSeconds": int(env.fresh_sign_in_lifetime.total_seconds())})
