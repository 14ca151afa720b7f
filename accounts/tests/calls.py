"""The calls of the sign-in API, as a browser or an app makes them."""

from typing import Any

from accounts.tests.factories import PASSWORD
from conftest import ApiClient

COOKIE = "__Host-refreshToken"
WRONG_PASSWORD = "Not-Her-Password-1"
Answer = Any  # Django gives its test response no public type.


def sign_in(
    client: ApiClient,
    email: str = "alice@example.com",
    password: str = PASSWORD,
    *,
    headers: dict[str, str] | None = None,
    **fields: object,
) -> Answer:
    """Sign in; the client keeps the refresh cookie."""
    body = {"email": email, "password": password, **fields}
    return client.post_json("/v1/auth/login", body, headers=headers)


def fail_to_sign_in(client: ApiClient, email: str = "alice@example.com", times: int = 1) -> Answer:
    """Send a wrong password so many times; return the last answer."""
    answer = None
    for _ in range(times):
        answer = sign_in(client, email, WRONG_PASSWORD)
    return answer


def sign_in_app(client: ApiClient, email: str = "alice@example.com") -> dict[str, Any]:
    """Sign in as a mobile app does; return the data with the refresh token."""
    data: dict[str, Any] = sign_in(client, email, tokenDelivery="body").json()["data"]
    return data


def refresh(client: ApiClient, **extra: Any) -> Answer:
    """Refresh with the client's cookie, which the answer replaces."""
    return client.post_json("/v1/auth/refresh", **extra)


def refresh_with(token: str, **extra: Any) -> Answer:
    """Refresh with a token in the body."""
    return ApiClient().post_json("/v1/auth/refresh", {"refreshToken": token}, **extra)


def refresh_with_cookie(token: str, **extra: Any) -> Answer:
    """Refresh with a cookie that a thief copied, or that another tab still holds."""
    client = ApiClient()
    client.cookies[COOKIE] = token
    return refresh(client, **extra)


def cookie_of(client: ApiClient) -> str:
    """Return the refresh token that the client's browser holds."""
    return client.cookies[COOKIE].value


def token_of(answer: Answer) -> str:
    """Return the access token of an answer."""
    token: str = answer.json()["data"]["accessToken"]
    return token


def me(access_token: str) -> Answer:
    """Ask who is signed in."""
    return ApiClient(f"Bearer {access_token}").get("/v1/auth/me")


def code_of(answer: Answer) -> tuple[int, str | None]:
    """Return the status and the error's code, None for success."""
    error = answer.json().get("error") or {}
    return answer.status_code, error.get("code")
