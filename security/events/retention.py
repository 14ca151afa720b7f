"""The months of the table of security events."""

from typing import Any

from django.utils import timezone

from crm.db.partitions import drop_partitions, make_partitions, owns_table
from crm.env import env

TABLE = "security_event"


def make_event_partitions(**kwargs: Any) -> list[str]:
    """Make the partitions that are missing; return their names (post_migrate, nightly job).

    Nothing happens for a role that does not own the table.
    """
    return make_partitions(TABLE, now=timezone.now()) if owns_table(TABLE) else []


def drop_old_events() -> list[str]:
    """Drop the months that EVENT_RETENTION has passed; return the names of their partitions."""
    return drop_partitions(TABLE, now=timezone.now(), retention=env.event_retention)
