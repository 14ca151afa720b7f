"""Events are written behind the response's transaction, whatever became of it, and cost little."""

import dataclasses
import ipaddress
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership
from accounts.tests.calls import refresh_with, sign_in, sign_in_app
from clients.views import ClientViewSet
from conftest import ApiClient
from crm.env import env
from security.api_keys.services import IssuedKey
from security.events import collector
from security.events.collector import record_event
from security.events.types import EventType
from security.request import middleware
from security.tests.events import stored_events, types_of

WRITE = "INSERT INTO security_event"


def writes(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries if WRITE in query["sql"]]


def switch_off(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    values: dict[str, Any] = {name: False}
    monkeypatch.setattr(collector, "env", dataclasses.replace(env, **values))


@pytest.mark.django_db(transaction=True)
def test_an_event_of_a_request_that_fails_stays(
    as_alice: ApiClient, key: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, request: Any) -> None:
        record_event(EventType.PERMISSION_DENIED, number=1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(ClientViewSet, "list", fail)
    logging.disable()
    response = as_alice.get("/v1/clients?secret=hush")
    logging.disable(logging.NOTSET)
    assert response.status_code == 500
    (event,) = stored_events(EventType.PERMISSION_DENIED)
    assert event.request_id == response.headers["X-Request-ID"]
    assert event.request_path == "/v1/clients"
    assert event.metadata == {"number": 1}


@pytest.mark.django_db(transaction=True)
def test_an_event_of_a_refused_request_stays(as_dora: ApiClient) -> None:
    assert as_dora.get("/v1/api-keys").status_code == 403
    (event,) = stored_events()
    assert event.user_email == "dora@example.com"
    assert event.team_name == "Harbor Realty"
    assert event.metadata == {"reason": "The role data_entry may not view api_keys."}


def test_all_events_of_a_request_are_one_statement(
    alice: Membership, as_stranger: ApiClient
) -> None:
    sign_in(as_stranger)
    with CaptureQueriesContext(connection) as queries:
        sign_in(as_stranger)
    assert len(writes(queries)) == 1
    assert types_of(stored_events())[-2:] == ["session.signed_out", "sign_in.succeeded"]


def test_an_ordinary_list_writes_nothing(as_alice: ApiClient) -> None:
    as_alice.get("/v1/clients")
    with CaptureQueriesContext(connection) as queries:
        assert as_alice.get("/v1/clients").status_code == 200
    assert writes(queries) == []
    assert stored_events() == []


def test_events_that_cannot_be_written_change_no_answer(
    alice: Membership,
    as_stranger: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(collector, "_WRITE_SOON", "INSERT INTO nowhere VALUES (%s)")
    assert sign_in(as_stranger).status_code == 200
    assert "Security events not written: sign_in.succeeded" in caplog.text


def test_a_command_writes_at_once_and_as_a_command(alice: Membership, key: IssuedKey) -> None:
    call_command("revoke_api_key", key.api_key.key_id)
    (event,) = stored_events(EventType.API_KEY_REVOKED)
    assert (event.actor_kind, event.actor_label) == ("command", "command")
    assert (event.user_email, event.ip_address) == ("alice@example.com", None)


def test_a_command_goes_on_when_its_event_cannot_be_written(
    key: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_WRITE", "INSERT INTO nowhere VALUES (%s)")
    with transaction.atomic():
        call_command("revoke_api_key", key.api_key.key_id)
    key.api_key.refresh_from_db()
    assert key.api_key.revoked_at is not None


def test_a_failed_sign_in_of_nobody_is_not_ascribed_to_who_is_signed_in(as_staff: Any) -> None:
    as_staff.post("/admin/login/", {"username": "nobody@example.com", "password": "x"})
    (event,) = stored_events(EventType.SIGN_IN_FAILED)
    assert (event.user_id, event.team_id, event.actor_kind) == (None, None, "staff")


def test_an_address_outside_the_admins_list_is_recorded_once_a_minute(
    as_stranger: ApiClient, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = (ipaddress.ip_network("203.0.113.0/24"),)
    closed = dataclasses.replace(env, admin_allowed_ips=networks)
    monkeypatch.setattr(middleware, "env", closed)
    with time_machine.travel(datetime(2031, 5, 17, tzinfo=UTC), tick=False):
        assert [as_stranger.get("/admin/").status_code for _ in range(3)] == [403] * 3
    (event,) = stored_events(EventType.ADDRESS_DENIED)
    assert event.metadata == {"allow_list": "admin"}


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("log_successful_logins", {"sign_in.succeeded"}),
        ("log_token_refresh", {"token.refreshed"}),
        ("enable_security_event_logging", {"sign_in.succeeded", "token.refreshed"}),
    ],
)
def test_a_switch_silences_its_events_only(
    alice: Membership,
    as_stranger: ApiClient,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    missing: set[str],
) -> None:
    switch_off(monkeypatch, name)
    refresh_with(sign_in_app(as_stranger)["refreshToken"])
    assert set(types_of(stored_events())) == {"sign_in.succeeded", "token.refreshed"} - missing


def test_all_of_it_is_on_unless_it_is_switched_off() -> None:
    assert env.enable_security_event_logging
    assert env.log_successful_logins
    assert env.log_token_refresh
