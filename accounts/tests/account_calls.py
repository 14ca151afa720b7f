"""The calls about passwords and addresses, and the tokens of their mails."""

import re
from typing import Any

from django.core import mail

from accounts.mailbox.one_time_tokens import issue
from accounts.models import TokenPurpose, User
from accounts.tests.calls import Answer
from accounts.tests.factories import PASSWORD
from conftest import ApiClient

NEW_PASSWORD = "Sturdy-Plum-Song-9"
_TOKEN = re.compile(r"https?://\S+\?token=([\w-]+)")


def post(path: str, body: dict[str, Any], client: ApiClient | None = None) -> Answer:
    return (client or ApiClient()).post_json(f"/v1/auth/{path}", body)


def forget(email: str = "alice@example.com", client: ApiClient | None = None) -> Answer:
    return post("password/forgot", {"email": email}, client)


def reset(token: str, password: str = NEW_PASSWORD) -> Answer:
    return post("password/reset", {"token": token, "newPassword": password})


def change(client: ApiClient, new: str = NEW_PASSWORD, current: str = PASSWORD) -> Answer:
    body = {"currentPassword": current, "newPassword": new}
    return post("password/change", body, client)


def verify(token: str) -> Answer:
    return post("verify-email", {"token": token})


def mailed_token(to: str = "alice@example.com") -> str:
    """Return the token of the last mail to somebody."""
    last = [message for message in mail.outbox if message.to == [to]][-1]
    found = _TOKEN.search(str(last.body))
    assert found is not None, last.body
    return found[1]


def mails_to(address: str) -> list[str]:
    """Return the subjects of what was mailed to an address."""
    return [str(message.subject) for message in mail.outbox if message.to == [address]]


def reset_token(user: User) -> str:
    """Return a token as the mail about a forgotten password holds it."""
    return issue(user_id=user.pk, purpose=TokenPurpose.RESET_PASSWORD, email=user.email)
