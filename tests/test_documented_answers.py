"""What docs/api.md shows of calls about people is what the calls answer, field by field."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Membership
from accounts.tests.factories import make_invitation, open_session
from conftest import ApiClient
from crm.env import PROJECT_DIR
from tests.documents import blocks_of, section_of

DOCUMENT = PROJECT_DIR / "docs" / "api.md"
NEW = {"email": "new@example.com", "firstName": "Nora", "lastName": "Nilsson"}
PASSWORD = "Another-Horse-Battery-7"
Answers = Callable[[ApiClient, Membership], Any]


def shown(section: str) -> list[Any]:
    """Return the objects that a section shows."""
    text = section_of(DOCUMENT, section)
    return [json.loads(b.text) for b in blocks_of(DOCUMENT) if b.text in text]


def shape_of(value: Any) -> Any:
    """Return an answer's names and types; null is any type."""
    if isinstance(value, dict):
        return {name: shape_of(item) for name, item in value.items()}
    return type(value).__name__


def fits(answered: Any, documented: Any) -> bool:
    if isinstance(answered, dict) and isinstance(documented, dict):
        return answered.keys() == documented.keys() and all(
            fits(answered[name], documented[name]) for name in answered
        )
    return "NoneType" in {answered, documented} or answered == documented


def member(client: ApiClient, bob: Membership) -> Any:
    open_session(bob)
    return client.get(f"/v1/team/members/{bob.pk}")


def invitation(client: ApiClient, bob: Membership) -> Any:
    return client.post_json("/v1/team/invitations", {"email": "x@example.com", "role": "agent"})


def registered(client: ApiClient, bob: Membership) -> Any:
    inviter = Membership.objects.get(role="admin")
    _, token = make_invitation(inviter, NEW["email"])
    body = {**NEW, "password": PASSWORD, "invitationToken": token}
    return ApiClient().post_json("/v1/auth/register", body)


@pytest.mark.parametrize(
    ("section", "number", "call"),
    [("Members", 0, member), ("Members", 1, invitation), ("Registering", 0, registered)],
)
def test_an_answer_is_as_documented(
    as_alice: ApiClient, bob: Membership, section: str, number: int, call: Answers
) -> None:
    answer = call(as_alice, bob)
    assert answer.status_code in {200, 201}, answer.content
    answered, documented = answer.json()["data"], shown(section)[number]
    assert fits(shape_of(answered), shape_of(documented)), (answered, documented)
