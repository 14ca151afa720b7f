"""The requests in docs/api.md are answered as it says: each section is one story, from its start.

A block of the language `http` holds a request and its answer: a line with method and path, perhaps
`Authorization: Bearer …`, a body; then the status, the error's code, and `data` or `details`. Alice
makes the calls with a credential. `…` for a token is that of the last mail, as an answer it is
anything.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.core import mail

from accounts.models import Membership
from accounts.tests.factories import access_token, make_user
from conftest import ApiClient
from crm.env import PROJECT_DIR
from tests.documents import blocks_of, section_of

DOCUMENT = PROJECT_DIR / "docs" / "api.md"
SECTIONS = ("Email addresses", "Passwords")
ANYTHING = "…"
_TOKEN = re.compile(r"\?token=([\w-]+)")


class Example(NamedTuple):
    """A request and its answer."""

    method: str
    path: str
    has_credential: bool
    body: dict[str, Any]
    status: int
    code: str
    answer: Any


def example_of(block: str) -> Example:
    """Read a block."""
    request, answer = block.strip().split("\n\n")
    first, *middle, body = request.splitlines()
    status, _, code = answer.partition("\n")[0].partition(" ")
    method, _, path = first.partition(" ")
    return Example(
        method,
        path,
        has_credential=bool(middle),
        body=json.loads(body),
        status=int(status),
        code=code,
        answer=json.loads(answer.partition("\n")[2]),
    )


def examples_of(heading: str) -> list[Example]:
    section = section_of(DOCUMENT, heading)
    blocks = [block for block in blocks_of(DOCUMENT) if block.language == "http"]
    return [example_of(block.text) for block in blocks if block.text in section]


def last_token() -> str:
    """Return the token of the last mail that has one."""
    found = [_TOKEN.search(str(message.body)) for message in mail.outbox]
    return [match[1] for match in found if match][-1]


def fill_in(body: dict[str, Any]) -> dict[str, Any]:
    return {name: last_token() if value == ANYTHING else value for name, value in body.items()}


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_examples_of_a_section_are_answered_as_shown(
    alice: Membership, run_jobs: Callable[[], list[str]], heading: str
) -> None:
    make_user("carol@example.com", email_verified_at=None)
    signed_in = ApiClient(f"Bearer {access_token(alice)}")
    for example in examples_of(heading):
        client = signed_in if example.has_credential else ApiClient()
        sent = json.dumps(fill_in(example.body))
        answer = client.generic(example.method, example.path, sent, content_type="application/json")
        shown = answer.json().get("data") or answer.json()["error"]["details"]
        code = answer.json().get("error", {}).get("code", "")
        assert (answer.status_code, code) == (example.status, example.code), example
        assert shown == example.answer
        run_jobs()


def test_no_example_is_left_out() -> None:
    blocks = [block for block in blocks_of(DOCUMENT) if block.language == "http"]
    assert sum(len(examples_of(heading)) for heading in SECTIONS) == len(blocks) > 0
