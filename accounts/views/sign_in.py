"""`/v1/auth/login`, `refresh`, `logout`: the calls that give, renew and end tokens."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.descriptions import REFRESHED, SIGNED_IN
from accounts.devices.cookie import set_device_cookie
from accounts.flows.devices import sent_tokens
from accounts.flows.refresh import refresh_tokens
from accounts.flows.session_start import SignedIn, SigningClient
from accounts.flows.sign_in import sign_in
from accounts.flows.sign_out import end_session_of_token
from accounts.models import RevokeReason
from accounts.refresh_cookie import (
    clear_refresh_cookie,
    refresh_cookie,
    require_own_page,
    set_refresh_cookie,
)
from accounts.serializers import RefreshTokenSerializer, SignInSerializer, member_body
from accounts.tokens import AccessToken
from crm.api.describe import describe
from crm.api.envelope import success
from crm.api.errors import (
    AccountLocked,
    AuthRateLimited,
    CsrfFailed,
    InvalidCredentials,
    InvalidRefreshToken,
    InvalidToken,
    NoRefreshToken,
    PermissionDenied,
    ValidationFailed,
)
from crm.api.json_schema import constant, record
from security.credentials import bearer_token
from security.permissions import Public
from security.request_context import in_context
from security.views import ApiView

IN_BODY = "body"


class LoginView(ApiView):
    """Sign in with email and password."""

    authentication_classes = ()
    permission_classes = (Public,)
    anonymous_limit = "login_calls"  # failures are counted by accounts.flows.password_check

    @describe(
        body=SignInSerializer,
        data=SIGNED_IN,
        errors=(
            InvalidCredentials,
            PermissionDenied,
            CsrfFailed,
            AccountLocked,
            AuthRateLimited,
        ),
    )
    def post(self, request: Request) -> Response:
        """Open a session; the refresh token goes into a cookie, or into the body on request."""
        serializer = SignInSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        in_body = values["token_delivery"] == IN_BODY
        if not in_body:
            require_own_page(request)
        device_token = values.get("device_token")
        client = SigningClient(
            request=request._request,
            device_name=values["device_name"],
            device_tokens=sent_tokens(request._request, device_token or "" if in_body else None),
            replaced_refresh_token=None if in_body else refresh_cookie(request),
        )
        signed_in = sign_in(client=client, email=values["email"], password=values["password"])
        if in_body:
            return _response_to_app(signed_in, wants_device_token=device_token is not None)
        return _response_to_browser(signed_in, client)


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


def access_token_body(token: AccessToken) -> dict[str, Any]:
    """Return an access token as the API hands it out."""
    seconds = int(token.lifetime_left.total_seconds())
    return {
        "accessToken": str(token),
        "expiresIn": f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s",
        "expiresInSeconds": seconds,
        "tokenType": "Bearer",
    }


def _signed_in_body(signed_in: SignedIn) -> dict[str, Any]:
    return {
        "user": member_body(signed_in.membership),
        **access_token_body(signed_in.access_token),
    }


def _response_to_app(signed_in: SignedIn, *, wants_device_token: bool) -> Response:
    body = {**_signed_in_body(signed_in), "refreshToken": signed_in.raw_refresh_token}
    if wants_device_token:
        body["deviceToken"] = str(signed_in.remembered.token)
    return success(body)


def _response_to_browser(signed_in: SignedIn, client: SigningClient) -> Response:
    response = success(_signed_in_body(signed_in))
    expires_at = signed_in.refresh_token.expires_at
    set_refresh_cookie(response, signed_in.raw_refresh_token, expires_at)
    set_device_cookie(response, signed_in.remembered.token, client.device_tokens)
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
