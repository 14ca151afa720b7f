"""Calls made from the API's description: no fault, and no answer that it does not describe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from accounts.models import Membership
from accounts.tests.factories import access_token
from security.api_keys.services import IssuedKey

load_all_checks()
# A description cannot say everything: networks, cursors, an account that is locked by now.
BEYOND_DESCRIPTION: Any = CHECKS.get_by_names(["positive_data_acceptance"])
CONFIG = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})


@pytest.fixture
def kept_connection(db: None) -> Iterator[None]:
    """Keep the test's connection: a real server closes its own after each call."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def operations(kept_connection: None) -> list[Any]:
    schema: Any = schemathesis.openapi.from_wsgi("/v1/schema", WSGIHandler(), config=CONFIG)
    found = [result.ok() for result in schema.get_all_operations()]
    # What ends the caller's session comes last.
    return sorted(found, key=lambda operation: "/auth/" in operation.path)


@pytest.fixture(params=["user", "key", "nobody"])
def credential(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "user":
        alice: Membership = request.getfixturevalue("alice")
        return {"Authorization": f"Bearer {access_token(alice)}"}
    if request.param == "key":
        key: IssuedKey = request.getfixturevalue("key")
        return {"X-API-Key": key.written}
    return {}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_call_gets_an_answer_outside_the_description(
    operations: list[Any], credential: dict[str, str], mode: GenerationMode
) -> None:
    for operation in operations:
        call_with_examples(operation, credential, mode)


def call_with_examples(operation: Any, headers: dict[str, str], mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def call(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers=headers, excluded_checks=BEYOND_DESCRIPTION)

    with suppress(Unsatisfiable):  # A call without input has nothing to get wrong.
        call()
