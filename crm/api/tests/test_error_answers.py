from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from crm.api import errors

EXPECTED = {
    "conflict": (409, "CONFLICT"),
    "absent": (404, "NOT_FOUND"),
    "denied": (403, "PERMISSION_DENIED"),
    "suspicious": (400, "VALIDATION_ERROR"),
    "outage": (503, "SERVICE_UNAVAILABLE"),
    "fault": (500, "INTERNAL_ERROR"),
}


def error_of(response: Any) -> dict[str, Any]:
    body = response.json()
    assert body["success"] is False
    assert response["Content-Type"] == "application/json"
    error: dict[str, Any] = body["error"]
    assert error["requestId"] == response["X-Request-ID"]
    return error


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("kind", ["drf", "plain"])
@pytest.mark.parametrize("name", EXPECTED)
def test_every_error_has_the_envelope(
    client: Client, settings: Settings, name: str, kind: str, debug: bool
) -> None:
    settings.DEBUG = debug
    response = client.get(f"/{kind}/{name}")
    assert (response.status_code, error_of(response)["code"]) == EXPECTED[name]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("kind", ["drf", "plain"])
@pytest.mark.parametrize("name", EXPECTED)
def test_no_error_tells_what_is_inside(
    client: Client, settings: Settings, name: str, kind: str, debug: bool
) -> None:
    settings.DEBUG = debug
    content = client.get(f"/{kind}/{name}").content
    assert b"secret" not in content
    assert b"password" not in content
    assert b"Traceback" not in content


def test_fault_is_logged_with_its_trace(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/drf/fault")
    faults = [record for record in caplog.records if record.exc_info]
    assert [record.name for record in faults] == ["django.request"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "VALIDATION_ERROR"), (405, "METHOD_NOT_ALLOWED"), (502, "INTERNAL_ERROR")],
)
def test_page_with_an_error_is_replaced(client: Client, status: int, code: str) -> None:
    response = client.get(f"/status/{status}")
    assert response.status_code == status
    assert error_of(response)["code"] == code
    assert response["Allow"] == "GET"


def test_pages_of_the_admin_stay(client: Client, settings: Settings) -> None:
    settings.HTML_PATH_PREFIXES = ["/admin/"]
    assert client.get("/admin/status/404").content == b"<h1>page</h1>"


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/", "/nothing", "/drf/x/y"])
def test_unknown_path_is_not_found(
    client: Client, settings: Settings, path: str, debug: bool
) -> None:
    settings.DEBUG = debug
    response = client.get(path)
    assert (response.status_code, error_of(response)["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_named(
    client: Client, settings: Settings, method: str, debug: bool
) -> None:
    settings.DEBUG = debug
    response = client.generic(method, "/echo")
    assert (response.status_code, error_of(response)["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert response["Allow"] == "GET, POST"


@pytest.mark.parametrize("debug", [True, False])
def test_foreign_host_is_refused(client: Client, settings: Settings, debug: bool) -> None:
    settings.DEBUG = debug
    settings.ALLOWED_HOSTS = ["crm.example"]
    response = client.get("/echo", headers={"Host": "evil.example"})
    assert (response.status_code, error_of(response)["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("error", "challenge"),
    [
        (errors.AuthenticationRequired(), 'Bearer realm="crm"'),
        (errors.TokenExpired(), 'Bearer realm="crm", error="invalid_token"'),
        (
            errors.InsufficientScope(scope="clients:write"),
            'Bearer realm="crm", error="insufficient_scope", scope="clients:write"',
        ),
    ],
)
def test_challenge_follows_rfc_6750(error: errors.ApiError, challenge: str) -> None:
    assert error.response_headers()["WWW-Authenticate"] == challenge


def test_every_401_has_a_challenge() -> None:
    unauthorized = [kind for kind in errors.ApiError.__subclasses__() if kind.status == 401]
    assert unauthorized
    assert all(kind.challenge for kind in unauthorized)
