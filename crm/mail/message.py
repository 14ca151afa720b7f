"""From a template to a message."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


def render(
    name: str, *, subject: str, to: str, context: Mapping[str, Any]
) -> EmailMultiAlternatives:
    """Return the mail `name` for one receiver, as plain text with an HTML alternative."""
    values = {"product_name": settings.PRODUCT_NAME, **context, "subject": subject}
    message = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"mail/{name}.txt", values),
        to=[to],
        # RFC 3834: keeps out-of-office answers away.
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string(f"mail/{name}.html", values), "text/html")
    return message
