"""What a blocked address is answered, and what it costs those who are not."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership
from accounts.tests.factories import access_token
from conftest import ApiClient
from crm.env import env
from crm.env.parsers import networks
from security.events.types import EventType
from security.ip_blocks.matcher import block_list
from security.ip_blocks.services import block_network
from security.request.client_ip import resolve_client_ip
from security.tests.events import stored_events
from tests.wire import statements_on_the_wire

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fresh_block_list")]
SCANNER = "203.0.113.7"


@pytest.fixture
def scanner_is_blocked() -> None:
    block_network("203.0.113.0/24", by="test")
    block_list.refresh()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/clients"), ("POST", "/v1/auth/login"), ("GET", "/nothing"), ("GET", "/.env")],
)
def test_a_blocked_address_is_refused_in_the_envelope(
    scanner_is_blocked: None, alice: Membership, method: str, path: str
) -> None:
    client = ApiClient(f"Bearer {access_token(alice)}")
    answer: Any = client.generic(method, path, "{", REMOTE_ADDR=SCANNER)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "IP_NOT_ALLOWED"
    assert answer.json()["error"]["requestId"] == answer.headers["X-Request-ID"]
    assert answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/v1/auth/me").status_code == 200


@pytest.mark.parametrize("path", [f"/{env.admin_path}", f"/{env.admin_path}login/", "/static/x"])
def test_pages_are_refused_in_plain_words(scanner_is_blocked: None, path: str) -> None:
    answer: Any = Client().get(path, REMOTE_ADDR=SCANNER)
    assert (answer.status_code, answer.headers["Content-Type"][:10]) == (403, "text/plain")
    assert answer.headers["X-Request-ID"] in answer.content.decode()


def test_health_is_answered_all_the_same(scanner_is_blocked: None) -> None:
    for path, status in {"/v1/health": 200, "/v1/health/ready": 200, "/v1/health/x": 403}.items():
        assert Client().get(path, REMOTE_ADDR=SCANNER).status_code == status


def test_the_sender_is_judged_and_not_what_he_wrote(
    scanner_is_blocked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP")
    for written, sender, status in ((SCANNER, "192.0.2.1", 404), ("192.0.2.1", SCANNER, 403)):
        for name in names:
            answer = Client(headers={name: written}).get("/nothing", REMOTE_ADDR=sender)
            assert answer.status_code == status, (name, written)
    proxies: Any = networks("10.0.0.0/8")
    monkeypatch.setattr("security.request.middleware.resolve_client_ip", through(proxies))
    behind = Client(headers={"X-Forwarded-For": f"192.0.2.1, {SCANNER}"})
    assert behind.get("/nothing", REMOTE_ADDR="10.0.0.1").status_code == 403


def through(proxies: Any) -> Callable[[Any, Any], str]:
    """Return the reader of addresses of an installation behind proxies."""
    return lambda request, _: resolve_client_ip(request, proxies)


def test_refusals_leave_one_event_an_hour(scanner_is_blocked: None) -> None:
    for number in range(5):
        Client().get("/v1/clients", REMOTE_ADDR=f"203.0.113.{number}")
    (event,) = stored_events(EventType.ADDRESS_DENIED)
    assert event.metadata == {"blocked_network": "203.0.113.0/24"}
    assert (event.ip_address, event.actor_kind) == ("203.0.113.0", "anonymous")


def test_an_ordinary_call_costs_no_statement(scanner_is_blocked: None, as_alice: ApiClient) -> None:
    assert as_alice.get("/v1/clients").status_code == 200
    with statements_on_the_wire() as statements:
        assert as_alice.get("/v1/clients").status_code == 200
    assert len(statements) == 4, statements
    with statements_on_the_wire() as statements:
        assert Client().get("/nothing").status_code == 404
    assert statements == []


def test_who_is_refused_again_costs_no_statement(scanner_is_blocked: None) -> None:
    Client().get("/v1/clients", REMOTE_ADDR=SCANNER)
    with statements_on_the_wire() as statements:
        assert Client().get("/v1/clients", REMOTE_ADDR=SCANNER).status_code == 403
    assert statements == []
