"""A line of the log names the request that it is about, and holds no credential."""

import logging
from logging.config import DictConfigurator
from typing import Any

import pytest

from clients.views import ClientViewSet
from conftest import ApiClient
from crm.logging_setup import RequestIdFilter, logging_settings
from crm.serving.web_server import log_configuration
from security.api_keys.services import IssuedKey


def line_of(record: logging.LogRecord) -> str:
    """Return the record as the handler writes it."""
    settings = logging_settings()
    formatter = DictConfigurator(settings).configure_formatter(settings["formatters"]["line"])
    assert RequestIdFilter().filter(record)
    return str(formatter.format(record))


def test_a_fault_is_found_in_the_log_by_the_id_in_its_answer(
    as_alice: ApiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(ClientViewSet, "list", fail)
    answer = as_alice.get("/v1/clients").json()
    (record,) = (record for record in caplog.records if record.exc_info)
    assert answer["error"]["requestId"] in line_of(record)


def test_a_line_about_no_request_names_none() -> None:
    record = logging.LogRecord("crm", logging.INFO, "", 0, "Started", None, None)
    assert line_of(record).endswith("INFO crm - Started")


def test_a_key_in_a_path_is_not_logged(
    key: IssuedKey, as_stranger: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert as_stranger.get(f"/v1/nothing/{key.written}").status_code == 404
    (record,) = (record for record in caplog.records if "/v1/nothing/" in record.getMessage())
    assert line_of(record).endswith(f"/v1/nothing/crm_{key.api_key.key_id}_[removed]")


def test_the_web_server_logs_no_key_and_one_line(key: IssuedKey) -> None:
    configuration = log_configuration()
    record = logging.LogRecord("x", logging.INFO, "", 0, f"GET /x\n/{key.written}", None, None)
    configurator = DictConfigurator(configuration)
    lines = {
        name: configurator.configure_formatter(formatter).format(record)
        for name, formatter in configuration["formatters"].items()
    }
    assert key.written not in str(lines)
    assert lines["access"] == f"GET /x\\n/crm_{key.api_key.key_id}_[removed]"
