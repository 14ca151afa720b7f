"""What the calls that sign somebody in take from the client, and answer it."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.devices.cookie import set_device_cookie
from accounts.devices.known_devices import sent_tokens
from accounts.serializers import member_body
from accounts.sessions.refresh_cookie import refresh_cookie, require_own_page, set_refresh_cookie
from accounts.sessions.session_start import SignedIn, SigningClient
from accounts.sessions.tokens import AccessToken
from accounts.sign_in.second_step import PendingSignIn
from crm.api.envelope import success
from crm.plain_text import one_line

IN_BODY = "body"


def signing_client(
    request: Request, *, in_body: bool, device_name: str, device_token: str | None
) -> SigningClient:
    """Return who signs in; raises `CsrfFailed` for a browser's call from a foreign page."""
    if not in_body:
        require_own_page(request)
    return SigningClient(
        request=request._request,
        # Cleaned, not refused: a name keeps nobody out.
        device_name=one_line(device_name),
        device_tokens=sent_tokens(request._request, device_token or "" if in_body else None),
        replaced_refresh_token=None if in_body else refresh_cookie(request),
        in_body=in_body,
    )


def pending_response(pending: PendingSignIn) -> Response:
    """Answer that the second factor is still to come."""
    return success(
        {
            "mfaRequired": True,
            "mfaToken": str(pending.token),
            "methods": pending.methods,
            "expiresInSeconds": int(pending.token.lifetime.total_seconds()),
        }
    )


def signed_in_response(
    signed_in: SignedIn, client: SigningClient, *, wants_device_token: bool
) -> Response:
    """Answer the user and the tokens, the refresh token the way the client takes it."""
    body = {
        "user": member_body(signed_in.membership),
        **access_token_body(signed_in.access_token),
    }
    if client.in_body:
        body["refreshToken"] = signed_in.raw_refresh_token
        if wants_device_token:
            body["deviceToken"] = str(signed_in.remembered.token)
        return success(body)
    response = success(body)
    expires_at = signed_in.refresh_token.expires_at
    set_refresh_cookie(response, signed_in.raw_refresh_token, expires_at)
    set_device_cookie(response, signed_in.remembered.token, client.device_tokens)
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
