"""From a template to a message."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from crm.env import env
from crm.plain_text import one_line, without_links

# Longer than any name, and than two names with a blank.
LONGEST_VALUE = 300


def render(
    name: str, *, subject: str, to: str, context: Mapping[str, Any]
) -> EmailMultiAlternatives:
    """Return the mail `name` for one receiver, as plain text with an HTML alternative."""
    values = {"product_name": settings.PRODUCT_NAME, **safe_value(context), "subject": subject}
    message = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"mail/{name}.txt", values),
        to=[to],
        # RFC 3834: keeps out-of-office answers away.
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(render_to_string(f"mail/{name}.html", values), "text/html")
    return message


def safe_value(value: Any) -> Any:
    """Return what a template is given, every text in it on one short line and without links.

    SECURITY: names and the like may be a stranger's words in a mail of ours. Here it is done for
    every value, so that none is forgotten; only links of `app_link` stay.
    """
    if isinstance(value, Mapping):
        return {name: safe_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [safe_value(item) for item in value]
    if not isinstance(value, str) or _is_our_link(value):
        return value
    # Cut before it is looked at, too: it may be of any length.
    return without_links(one_line(value[: 4 * LONGEST_VALUE])[:LONGEST_VALUE])


def _is_our_link(value: str) -> bool:
    is_one_word = value.isascii() and value.isprintable() and " " not in value
    return is_one_word and value.startswith(f"{env.app_base_url}/")
