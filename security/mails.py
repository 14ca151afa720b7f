"""The mails about API keys, about what looks like an attack, and about the audit trail."""

from datetime import UTC, datetime
from typing import Final

from crm.mail import MailKind

_KEY: Final = {"first_name": "Alice", "name": "Website", "masked": "crm_9f3k2m1p0q8s_…x7Qd"}
_WITH_TEAM: Final = {**_KEY, "team_name": "Harbor Realty", "expires_on": "12 March 2027, 09:30 UTC"}

API_KEY_CREATED = MailKind(
    "api_key_created", subject="An API key was made in your name", sample=_WITH_TEAM
)
API_KEY_ROTATED = MailKind(
    "api_key_rotated", subject="An API key of yours was replaced", sample=_WITH_TEAM
)
API_KEY_REVOKED = MailKind(
    "api_key_revoked", subject="An API key of yours was revoked", sample=_WITH_TEAM
)
API_KEY_EXPIRING = MailKind(
    "api_key_expiring",
    subject="An API key will soon end",
    sample={**_WITH_TEAM, "owner": "alice@example.com", "days": 7},
)
NEW_NETWORK = MailKind(
    "new_network",
    subject="A sign-in from a new network",
    sample={
        "first_name": "Alice",
        "network": "203.0.113.0/24",
        "happened_at": "21 November 2026, 16:04 UTC",
    },
)
SUSPICIOUS_ACTIVITY = MailKind(
    "suspicious_activity",
    subject="Suspicious activity",
    sample={
        "first_name": "Alice",
        "team_name": "Harbor Realty",
        "findings": [
            {
                "title": "Many failed sign-ins with one email from one address",
                "subject": "203.0.113.7 bob@example.com",
                "count": 5,
                "happened_at": "21 November 2026, 16:00 UTC",
            }
        ],
        "more": 2,
    },
)
AUDIT_TRAIL_BROKEN = MailKind(
    "audit_trail_broken",
    subject="The audit trail is broken",
    sample={
        "first_name": "Alice",
        "problems": ["team 01a1fe7f-…: position 5, entry 01a1fe80-…: the entry was deleted"],
    },
)


def written_time(moment: datetime) -> str:
    """Return a moment as mails tell it."""
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
