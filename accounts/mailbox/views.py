"""`/v1/auth/verify-email`, `resend-verification`, `email/change`: whose an address is."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.descriptions import ACCEPTED
from accounts.mailbox.email_addresses import request_address_change, verify_address
from accounts.mailbox.mail_requests import request_verification
from accounts.serializers import EmailSerializer, MailedTokenSerializer, NewEmailSerializer
from crm.api.envelope import success
from crm.api.errors import AuthRateLimited
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import constant, record
from security.access.permissions import FreshSignIn, IsSignedInUser, Public
from security.access.views import ApiView


class VerifyEmailView(ApiView):
    """Follow the link of a mail."""

    authentication_classes = ()
    permission_classes = (Public,)

    @describe(
        body=MailedTokenSerializer,
        data=record(verified=constant(True)),
        errors=(AuthRateLimited,),
    )
    def post(self, request: Request) -> Response:
        """Take the token as proof of the address that it was mailed to."""
        serializer = MailedTokenSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        verify_address(request=request, raw_token=serializer.validated_data["token"])
        return success({"verified": True})


class ResendVerificationView(ApiView):
    """Ask for another link."""

    authentication_classes = ()
    permission_classes = (Public,)

    @describe(body=EmailSerializer, data=ACCEPTED, errors=(AuthRateLimited,))
    def post(self, request: Request) -> Response:
        """Mail a link if there is an account whose address waits for it; the answer is one."""
        serializer = EmailSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        request_verification(request=request, email=serializer.validated_data["email"])
        return success({"accepted": True})


class ChangeEmailView(ApiView):
    """Ask for another address of one's own account."""

    permission_classes = (IsSignedInUser, FreshSignIn)

    @describe(body=NewEmailSerializer, data=ACCEPTED, errors=(AuthRateLimited,))
    def post(self, request: Request) -> Response:
        """Mail a link to the new address, unless it is taken, and a word to the present one."""
        serializer = NewEmailSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        request_address_change(
            request=request, actor=self.actor, new_email=serializer.validated_data["new_email"]
        )
        return success({"accepted": True})
