"""The kinds of mail. Each app declares its own in `mails.py`, beside their templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from crm.jobs import job
from crm.mail.delivery import deliver_once
from crm.mail.message import render

_KINDS: dict[str, "MailKind"] = {}

Context = Mapping[str, Any]


@dataclass(frozen=True)
class MailKind:
    """A kind of mail: its templates are `mail/<name>.html` and `mail/<name>.txt`.

    `sample` holds every value that the templates name, for previews and tests.
    """

    name: str
    subject: str
    sample: Context

    def __post_init__(self) -> None:
        if self.name in _KINDS:
            raise ValueError(f"There is another kind of mail called {self.name}.")
        _KINDS[self.name] = self

    def queue(self, *, to: str, context: Context) -> None:
        """Have the worker send the mail once the current transaction has committed.

        SECURITY: the queue is readable, so no secret may be in the context.
        """
        send_mail.queue(kind=self.name, to=to, context=dict(context), key=str(uuid4()))

    def deliver(self, *, to: str, context: Context, key: str | None = None) -> None:
        """Send the mail now, from inside a job. With a `key`, only the first time."""
        deliver_once(render(self.name, subject=self.subject, to=to, context=context), key=key)


def all_mail_kinds() -> list[MailKind]:
    """Return every declared kind, by name."""
    return [_KINDS[name] for name in sorted(_KINDS)]


@job(retry=True)
def send_mail(*, kind: str, to: str, context: dict[str, Any], key: str) -> None:
    """Send one mail."""
    _KINDS[kind].deliver(to=to, context=context, key=key)
