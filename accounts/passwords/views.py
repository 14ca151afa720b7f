"""`/v1/auth/password/forgot`, `reset`, `change`."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.descriptions import ACCEPTED
from accounts.mailbox.mail_requests import request_password_reset
from accounts.passwords.changes import change_password, reset_password
from accounts.serializers import (
    ChangePasswordSerializer,
    EmailSerializer,
    ResetPasswordSerializer,
)
from crm.api.envelope import success
from crm.api.errors import AccountLocked, AuthRateLimited, InvalidCredentials, WeakPassword
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import INTEGER, constant, record
from security.access.permissions import FreshSignIn, IsSignedInUser, Public
from security.access.views import ApiView
from security.rate_limits.table import SESSION_LIMIT


class ForgotView(ApiView):
    """Ask for a link to set a new password."""

    authentication_classes = ()
    permission_classes = (Public,)

    @describe(body=EmailSerializer, data=ACCEPTED, errors=(AuthRateLimited,))
    def post(self, request: Request) -> Response:
        """Mail a link if there is an account with a password to forget; the answer is one."""
        serializer = EmailSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        request_password_reset(request=request, email=serializer.validated_data["email"])
        return success({"accepted": True})


class ResetView(ApiView):
    """Follow that link."""

    authentication_classes = ()
    permission_classes = (Public,)

    @describe(
        body=ResetPasswordSerializer,
        data=record(passwordReset=constant(True)),
        errors=(WeakPassword, AuthRateLimited),
    )
    def post(self, request: Request) -> Response:
        """Set the password and end every session; sign in with it afterwards."""
        serializer = ResetPasswordSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        reset_password(request=request, raw_token=values["token"], new=values["new_password"])
        return success({"passwordReset": True})


class ChangeView(ApiView):
    """Change one's own password."""

    permission_classes = (IsSignedInUser, FreshSignIn)
    caller_limit = SESSION_LIMIT

    @describe(
        body=ChangePasswordSerializer,
        data=record(sessionsEnded=INTEGER),
        errors=(WeakPassword, InvalidCredentials, AccountLocked, AuthRateLimited),
    )
    def post(self, request: Request) -> Response:
        """Set the password and end every other session."""
        serializer = ChangePasswordSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        count = change_password(
            request=request,
            actor=self.actor,
            current=values["current_password"],
            new=values["new_password"],
        )
        return success({"sessionsEnded": count})
