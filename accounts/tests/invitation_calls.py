"""The calls about invitations, and what they leave."""

import re
from collections.abc import Callable
from typing import Any

from django.core import mail

from accounts.models import Invitation, Team
from conftest import ApiClient
from crm.db.tenancy import team_context

PATH = "/v1/team/invitations"
ACCEPT = "/v1/auth/accept-invitation"
NEW = "new@example.com"
REFUSED = (400, "VALIDATION_ERROR")
RunJobs = Callable[[], list[str]]


def invite(client: ApiClient, email: str = NEW, role: str = "agent", **extra: object) -> Any:
    return client.post_json(PATH, {"email": email, "role": role, **extra})


def accept(client: ApiClient, token: str) -> Any:
    return client.post_json(ACCEPT, {"token": token})


def mailed_token() -> str:
    """Return the token of the last mail."""
    match = re.search(r"/accept-invitation\?token=([\w-]{43})\n", str(mail.outbox[-1].body))
    assert match
    return match[1]


def rows(team: Team) -> list[Any]:
    with team_context(team.pk):
        return list(Invitation.objects.order_by("created_at"))


# Sending.
