"""Development's mail: each message is a file in DATA_DIR/outbox and a line in the log."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

logger = logging.getLogger("crm.mail")


class OutboxBackend(BaseEmailBackend):
    """Writes every message as an `.eml` file, which mail programs open."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the messages; raises OSError when a file cannot be written."""
        folder = Path(settings.OUTBOX_DIR)
        # SECURITY: the mails hold links that work; only the server's own user may read them.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            path = folder / _file_name(message)
            path.write_bytes(message.message().as_bytes())
            path.chmod(0o600)
            logger.info("Mail to %s: %s (%s)", ", ".join(message.to), message.subject, path)
        return len(email_messages)


def _file_name(message: EmailMessage) -> str:
    """Return a name that sorts by time and tells what the mail is."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{message.to[0]} {message.subject}".lower()).strip("-")
    return f"{timezone.now():%Y%m%dT%H%M%S.%f}-{words[:80]}.eml"
