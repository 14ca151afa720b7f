"""Every route says who may call it, refuses what it does not take, and wears the headers."""

import json
import logging
from typing import Any

import pytest
from rest_framework.permissions import AllowAny
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from clients.views import ClientViewSet
from conftest import ApiClient
from crm.env import PROJECT_DIR
from records.viewsets import RIGHT_OF_ACTION, RecordViewSet
from security.access.permissions import DenyUndeclared, Public
from security.access.views import TeamScopedView
from security.request.middleware import security_headers
from tests.routes import ABSENT_ID, METHODS, Route, api_routes, other_paths

# Whatever stands here answers strangers. Nothing else does.
PUBLIC_ROUTES = {
    "health",
    "health-ready",
    "schema",
    "docs",
    "auth-login",
    "auth-2fa-verify",
    "auth-passkey-login-options",
    "auth-passkey-login",
    "auth-register",
    "auth-refresh",
    "auth-logout",
    "auth-verify-email",
    "auth-resend-verification",
    "auth-password-forgot",
    "auth-password-reset",
}
# Answers that are no envelope: a page, a document for tools, a file.
WITHOUT_ENVELOPE = {"docs", "schema", "audit-logs-export"}
ROUTES = api_routes()
every_route = pytest.mark.parametrize("route", ROUTES, ids=[route.name for route in ROUTES])
CALLS = [(route, method) for route in ROUTES for method in route.methods]
every_call = pytest.mark.parametrize(
    ("route", "method"), CALLS, ids=[f"{method}-{route.name}" for route, method in CALLS]
)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Cache-Control": "no-store",
}


def is_public(route: Route) -> bool:
    return not {Public, AllowAny}.isdisjoint(route.view.permission_classes)


def send(client: ApiClient, method: str, path: str, body: object = None) -> Any:
    data = "" if body is None else json.dumps(body)
    return client.generic(method, path, data, content_type="application/json")


def assert_guarded(response: Any) -> None:
    """Check the headers that every answer wears."""
    for name, value in SECURITY_HEADERS.items():
        assert response.headers.get(name) == value, name
    assert "camera=()" in response.headers["Permissions-Policy"]
    policy = response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert response.headers["X-Request-ID"]


def assert_failure(response: Any, status: int, code: str) -> None:
    """Check the envelope of an error, and the headers."""
    assert_guarded(response)
    assert response.status_code == status, response.content
    body = json.loads(response.content)
    assert body["success"] is False
    assert body["error"]["code"] == code
    assert body["error"]["requestId"] == response.headers["X-Request-ID"]


# Who may call.


def test_routes_outside_the_api_are_the_catch_all_only() -> None:
    assert other_paths() == {"/"}


@every_route
def test_a_route_declares_who_may_call_it(route: Route) -> None:
    declaring = next(cls for cls in route.view.__mro__ if "permission_classes" in vars(cls))
    assert declaring is not APIView
    assert route.view.permission_classes
    assert DenyUndeclared not in route.view.permission_classes


def test_a_view_that_declares_nothing_answers_nobody() -> None:
    defaults: list[Any] = list(api_settings.DEFAULT_PERMISSION_CLASSES)
    assert defaults == [DenyUndeclared]
    assert DenyUndeclared().has_permission(None, None) is False  # type: ignore[arg-type]


def test_public_routes_are_exactly_the_known_ones() -> None:
    assert {route.name for route in ROUTES if is_public(route)} == PUBLIC_ROUTES


@every_route
def test_a_closed_route_reads_both_credentials(route: Route) -> None:
    if is_public(route):
        assert list(route.view.authentication_classes) == []
    else:
        expected = api_settings.DEFAULT_AUTHENTICATION_CLASSES
        assert list(route.view.authentication_classes) == expected


@every_route
def test_a_team_route_declares_the_rights_of_every_action(route: Route) -> None:
    if not issubclass(route.view, TeamScopedView):
        return
    declared = set(route.view.required_rights)
    if issubclass(route.view, RecordViewSet):
        declared |= set(RIGHT_OF_ACTION)
    assert set(route.actions.values()) <= declared
    assert all(route.view.required_rights.values())


@every_call
def test_a_stranger_is_refused_everywhere_else(
    as_stranger: ApiClient, db: None, route: Route, method: str
) -> None:
    if not is_public(route):
        response = send(as_stranger, method, route.path(), {})
        assert_failure(response, 401, "AUTHENTICATION_REQUIRED")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@every_route
def test_a_made_up_credential_opens_nothing(db: None, route: Route) -> None:
    if is_public(route):
        return
    for credential in ("Bearer x", "Basic YTpi", "Bearer crm_x", "Token x", "Bearer", "Bearer a b"):
        response = send(ApiClient(credential), route.methods[0], route.path(), {})
        assert response.status_code == 401
        code = json.loads(response.content)["error"]["code"]
        assert code in {"INVALID_TOKEN", "INVALID_API_KEY"}


# What it takes.


@every_route
def test_other_methods_are_refused_before_anyone_is_asked_who_they_are(
    as_stranger: ApiClient, db: None, route: Route
) -> None:
    taken = {*route.methods, "HEAD"} if "GET" in route.methods else set(route.methods)
    for method in {*METHODS, "HEAD", "OPTIONS", "TRACE", "PROPFIND"} - taken:
        response = send(as_stranger, method, route.path())
        assert response.status_code == 405, method
        assert set(response.headers["Allow"].split(", ")) >= set(route.methods)
        if method != "HEAD":
            assert_failure(response, 405, "METHOD_NOT_ALLOWED")


def test_no_route_changes_anything_on_get() -> None:
    reading = {"get", "list", "retrieve", "history", "export", "usage"}
    assert {route.actions["get"] for route in ROUTES if "get" in route.actions} <= reading


@every_route
def test_a_path_beside_a_route_is_none(as_alice: ApiClient, route: Route) -> None:
    for suffix in ("/", ".json", "x", "%00", "/../../health"):
        assert_failure(as_alice.get(route.path() + suffix), 404, "NOT_FOUND")


@pytest.mark.parametrize("route", [r for r in ROUTES if "<" in r.pattern], ids=lambda r: r.name)
def test_an_id_that_is_none_is_no_route(as_alice: ApiClient, route: Route) -> None:
    for text in ("1", "None", str(ABSENT_ID)[:-1], "' OR 1=1 --", "%F0%9F%92%A9"):
        assert_failure(send(as_alice, route.methods[0], route.path(text), {}), 404, "NOT_FOUND")


# What it answers.


@every_call
def test_an_answer_is_guarded_and_wrapped(as_alice: ApiClient, route: Route, method: str) -> None:
    response = send(as_alice, method, route.path(), {})
    assert_guarded(response)
    assert response.status_code < 500
    if route.name not in WITHOUT_ENVELOPE:
        assert response.headers["Content-Type"] == "application/json"
        assert json.loads(response.content)["success"] is (response.status_code < 400)


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("text/plain", b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/x-www-form-urlencoded", b"a=1", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json", b"{", 400, "VALIDATION_ERROR"),
        ("application/json", b"[]", 400, "VALIDATION_ERROR"),
        ("application/json", b'{"x": "' + b"x" * 1_100_000 + b'"}', 413, "PAYLOAD_TOO_LARGE"),
    ],
    ids=["text", "form", "broken", "list", "large"],
)
@pytest.mark.parametrize("path", ["/v1/clients", "/v1/leads", "/v1/api-keys", "/v1/auth/login"])
def test_a_bad_body_is_refused_in_the_envelope(
    as_alice: ApiClient, path: str, content_type: str, body: bytes, status: int, code: str
) -> None:
    assert_failure(as_alice.post(path, body, content_type=content_type), status, code)


@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_of_ours_shows_nothing_of_it(
    as_alice: ApiClient, monkeypatch: pytest.MonkeyPatch, settings: Any, debug: bool
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("SELECT secret FROM /etc/passwd")

    settings.DEBUG = debug
    monkeypatch.setattr(ClientViewSet, "list", fail)
    logging.disable()
    response = as_alice.get("/v1/clients")
    logging.disable(logging.NOTSET)
    assert_failure(response, 500, "INTERNAL_ERROR")
    for word in ("SELECT", "passwd", "Traceback", "RuntimeError", str(PROJECT_DIR)):
        assert word not in response.content.decode()
    assert as_alice.get("/v1/leads").status_code == 200


def test_unknown_paths_answer_in_the_envelope(as_stranger: ApiClient, db: None) -> None:
    for path in ("/", "/v1", "/v2/clients", "/v1/nothing", "/.env", "/v1/clients/x/y/z"):
        assert_failure(as_stranger.get(path), 404, "NOT_FOUND")


def test_a_foreign_host_is_refused_in_the_envelope(as_stranger: ApiClient, db: None) -> None:
    response = as_stranger.post_json("/v1/auth/refresh", {}, headers={"host": "evil.example"})
    assert_guarded(response)
    assert response.status_code in {400, 401, 403}


def test_hsts_is_sent_outside_development_only() -> None:
    assert "Strict-Transport-Security" in security_headers(debug=False)
    assert "Strict-Transport-Security" not in security_headers(debug=True)
