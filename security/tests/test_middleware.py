"""The outermost layer: request ids, TLS behind proxies, what runs after an answer, the admin."""

import dataclasses
import logging
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from conftest import ApiClient
from crm.env import env
from crm.env.parsers import networks
from security.request import middleware
from security.request.html_only import HtmlCspMiddleware
from security.request.middleware import AdminAddressMiddleware, RequestContextMiddleware

View = Callable[[Any], HttpResponse]


def answer_to(request: HttpRequest, view: View = lambda request: HttpResponse("ok")) -> Any:
    return RequestContextMiddleware(view)(request)


def set_env(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    changed: Any = dataclasses.replace(env, **changes)
    monkeypatch.setattr(middleware, "env", changed)


@pytest.mark.parametrize(
    "sent", ["12345678", "a" * 64, "req_01.Az-9", "93937520-2e0c-4987-9a64-985875bbadbb"]
)
def test_a_well_formed_request_id_comes_back(sent: str) -> None:
    response = answer_to(RequestFactory().get("/", headers={"X-Request-ID": sent}))
    assert response.headers["X-Request-ID"] == sent


@pytest.mark.parametrize(
    "sent",
    ["", "1234567", "a" * 65, "1234 5678", "12345678\n", "äöü-äöü-äöü", "<script>1", "a;b=1234"],
)
def test_any_other_request_id_is_replaced(sent: str) -> None:
    response = answer_to(RequestFactory().get("/", HTTP_X_REQUEST_ID=sent))
    assert uuid.UUID(response.headers["X-Request-ID"]).version == 7


def test_error_and_header_name_the_same_id(as_stranger: ApiClient, db: None) -> None:
    response = as_stranger.get("/v1/clients", headers={"X-Request-ID": "trace-me-42"})
    assert response.json()["error"]["requestId"] == "trace-me-42"
    assert response.headers["X-Request-ID"] == "trace-me-42"


@pytest.mark.parametrize(
    ("peer", "proto", "is_secure"),
    [
        ("10.0.0.1", "https", True),
        ("10.0.0.1", " HTTPS ", True),
        ("10.0.0.1", "http", False),
        ("10.0.0.1", "", False),
        ("203.0.113.7", "https", False),
    ],
)
def test_only_a_trusted_proxy_says_that_the_call_came_by_tls(
    monkeypatch: pytest.MonkeyPatch, peer: str, proto: str, is_secure: bool
) -> None:
    set_env(monkeypatch, trusted_proxies=networks("10.0.0.0/8"))
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO=proto)
    answer_to(request)
    assert request.is_secure() is is_secure


def test_a_forwarded_host_is_not_believed() -> None:
    request = RequestFactory().get("/", HTTP_X_FORWARDED_HOST="evil.example")
    answer_to(request)
    assert request.get_host() == "testserver"


def test_the_time_of_arrival_is_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    request: Any = RequestFactory().get("/", HTTP_CRM_ARRIVED_AT="1")
    request.META["crm.arrived_at"] = 1234.5
    answer_to(request)
    assert request.arrived_at == 1234.5


def test_what_was_put_off_runs_after_the_view_in_order() -> None:
    done: list[str] = []

    def view(request: Any) -> HttpResponse:
        request.after_response.append(lambda: done.append("first"))
        request.after_response.append(lambda: done.append("second"))
        done.append("view")
        return HttpResponse("ok")

    answer_to(RequestFactory().get("/"), view)
    assert done == ["view", "first", "second"]


def test_a_database_that_is_down_behind_the_view_takes_no_answer_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []

    def fail() -> None:
        raise OperationalError("gone")

    def view(request: Any) -> HttpResponse:
        request.after_response += [fail, lambda: done.append("next")]
        return HttpResponse("ok")

    with caplog.at_level(logging.ERROR, logger="security.request.middleware"):
        response = answer_to(RequestFactory().get("/"), view)
    assert (response.status_code, done) == (200, ["next"])
    assert "Not written after the response" in caplog.text


@pytest.mark.parametrize(("path", "is_kept"), [("/static/x.css", False), ("/v1/health", True)])
def test_everything_but_static_files_is_kept_out_of_caches(path: str, is_kept: bool) -> None:
    response = answer_to(RequestFactory().get(path))
    assert (response.headers.get("Cache-Control") == "no-store") is is_kept


@pytest.mark.parametrize(
    ("address", "status"),
    [("10.1.2.3", 200), ("203.0.113.7", 403), ("garbage", 403), ("2001:db8::1", 403)],
)
def test_the_admin_opens_to_listed_addresses_only(
    monkeypatch: pytest.MonkeyPatch, address: str, status: int
) -> None:
    set_env(monkeypatch, admin_allowed_ips=networks("10.0.0.0/8"))
    layer = AdminAddressMiddleware(lambda request: HttpResponse("ok"))
    request: Any = RequestFactory().get(f"/{env.admin_path}login/")
    request.client_ip, request.request_id = address, "12345678"
    assert layer(request).status_code == status
    request.path = "/v1/health"
    assert layer(request).status_code == 200


def test_the_admin_is_open_when_no_address_is_listed() -> None:
    layer = AdminAddressMiddleware(lambda request: HttpResponse("ok"))
    request: Any = RequestFactory().get(f"/{env.admin_path}")
    request.client_ip = "203.0.113.7"
    assert layer(request).status_code == 200


def test_a_page_in_development_has_its_policy_too(settings: Any) -> None:
    settings.DEBUG = True
    layer = HtmlCspMiddleware(lambda request: HttpResponse("<h1>gone</h1>", status=404))
    response: Any = layer(RequestFactory().get(f"/{env.admin_path}nothing/"))
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def test_a_streamed_answer_is_sent_without_its_length() -> None:
    request = RequestFactory().get("/")
    response = RequestContextMiddleware(lambda request: StreamingHttpResponse(iter([b"x"])))(
        request
    )
    assert "Content-Length" not in response.headers
    assert response.headers["X-Request-ID"]
