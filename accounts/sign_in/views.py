"""`/v1/auth/login`, `refresh`, `logout`: the calls that give, renew and end tokens."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.descriptions import REFRESHED, SIGNED_IN_OR_PENDING
from accounts.models import RevokeReason
from accounts.serializers import RefreshTokenSerializer, SignInSerializer
from accounts.sessions.refresh import refresh_tokens
from accounts.sessions.refresh_cookie import (
    clear_refresh_cookie,
    refresh_cookie,
    require_own_page,
    set_refresh_cookie,
)
from accounts.sessions.sign_out import end_session_of_token
from accounts.sign_in.answers import (
    IN_BODY,
    access_token_body,
    pending_response,
    signed_in_response,
    signing_client,
)
from accounts.sign_in.password_sign_in import sign_in
from accounts.sign_in.second_step import PendingSignIn
from crm.api.envelope import success
from crm.api.errors import (
    AccountLocked,
    AuthRateLimited,
    CsrfFailed,
    EmailNotVerified,
    InvalidCredentials,
    InvalidRefreshToken,
    InvalidToken,
    NoRefreshToken,
    PermissionDenied,
    ValidationFailed,
)
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import constant, record
from security.access.permissions import Public
from security.access.views import ApiView
from security.request.context import in_context
from security.request.credentials import bearer_token


class LoginView(ApiView):
    """Sign in with email and password."""

    authentication_classes = ()
    permission_classes = (Public,)
    anonymous_limit = "login_calls"  # failures are counted by accounts.guards.password_check

    @describe(
        body=SignInSerializer,
        data=SIGNED_IN_OR_PENDING,
        errors=(
            InvalidCredentials,
            PermissionDenied,
            EmailNotVerified,
            CsrfFailed,
            AccountLocked,
            AuthRateLimited,
        ),
    )
    def post(self, request: Request) -> Response:
        """Open a session; the refresh token goes into a cookie, or into the body on request.

        An account with a second factor is asked for it, unless a code came along.
        """
        serializer = SignInSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        client = signing_client(
            request,
            in_body=values["token_delivery"] == IN_BODY,
            device_name=values["device_name"],
            device_token=values.get("device_token"),
        )
        outcome = sign_in(
            client=client,
            email=values["email"],
            password=values["password"],
            code=values.get("totp_code"),
            remember_device=values["remember_device"],
        )
        if isinstance(outcome, PendingSignIn):
            return pending_response(outcome)
        wants_device_token = "device_token" in values
        return signed_in_response(outcome, client, wants_device_token=wants_device_token)


class RefreshView(ApiView):
    """Exchange a refresh token for the next one and an access token."""

    authentication_classes = ()
    permission_classes = (Public,)
    anonymous_limit = "refresh"

    @describe(
        body=RefreshTokenSerializer,
        data=REFRESHED,
        needs_body=True,  # a cookie is believed only beside JSON, which a foreign form cannot send
        errors=(NoRefreshToken, InvalidRefreshToken, CsrfFailed, AuthRateLimited),
    )
    def post(self, request: Request) -> Response:
        """Rotate; the next refresh token comes the way the last one did."""
        sent = _refresh_token_in_body(request)
        raw_token = sent or refresh_cookie(request)
        if sent is None:
            require_own_page(request)
        if raw_token is None:
            raise NoRefreshToken
        refreshed = refresh_tokens(raw_token=raw_token, arrived_at=in_context(request).arrived_at)
        body = access_token_body(refreshed.access_token)
        if sent is not None:
            return success({**body, "refreshToken": refreshed.raw_refresh_token})
        response = success(body)
        set_refresh_cookie(response, refreshed.raw_refresh_token, refreshed.refresh_expires_at)
        return response


class LogoutView(ApiView):
    """Sign out of this session."""

    authentication_classes = ()
    permission_classes = (Public,)

    @describe(
        body=RefreshTokenSerializer, data=record(loggedOut=constant(True)), errors=(CsrfFailed,)
    )
    def post(self, request: Request) -> Response:
        """End the session that the refresh token or the access token names, if it is open."""
        sent = _refresh_token_in_body(request)
        cookie = refresh_cookie(request) if sent is None else None
        if cookie is not None:
            require_own_page(request)
        for raw_token in (sent, cookie, _access_token(request)):
            if raw_token:
                end_session_of_token(raw_token, reason=RevokeReason.LOGOUT)
        response = success({"loggedOut": True}, headers={"Clear-Site-Data": '"cache", "storage"'})
        if cookie is not None:
            clear_refresh_cookie(response)
        return response


def _refresh_token_in_body(request: Request) -> str | None:
    if not request.data:
        return None
    serializer = RefreshTokenSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    sent: str | None = serializer.validated_data.get("refresh_token")
    return sent


def _access_token(request: Request) -> str | None:
    """Return the bearer token; one that cannot be read ends nothing, and signing out goes on."""
    try:
        return bearer_token(request)
    except (InvalidToken, ValidationFailed):
        return None
