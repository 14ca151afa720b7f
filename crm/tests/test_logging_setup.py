"""A line of the log names the request that it is about."""

import logging
from typing import Any

import pytest

from clients.views import ClientViewSet
from conftest import ApiClient
from crm.logging_setup import RequestIdFilter, logging_settings


def line_of(record: logging.LogRecord) -> str:
    """Return the record as the handler writes it."""
    written = logging_settings()["formatters"]["line"]
    assert RequestIdFilter().filter(record)
    return logging.Formatter(written["format"], style=written["style"]).format(record)


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
