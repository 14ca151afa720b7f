"""Sending a mail once."""

import hashlib

from django.core.mail import EmailMultiAlternatives

from crm.env import env
from crm.mail.models import SentMail


def deliver_once(message: EmailMultiAlternatives, *, key: str | None) -> None:
    """Send a message unless one with this key was sent; without a key, in any case.

    A worker that dies between sending and noting it sends again. The id of the message is then the
    same, by which mail servers and programs tell the two for one.
    """
    if key is not None:
        if SentMail.objects.filter(key=key).exists():
            return
        message.extra_headers["Message-ID"] = _message_id(key)
    message.send()
    if key is not None:
        SentMail.objects.bulk_create([SentMail(key=key)], ignore_conflicts=True)


def _message_id(key: str) -> str:
    host = env.app_base_url.partition("://")[2].partition(":")[0]
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>"
