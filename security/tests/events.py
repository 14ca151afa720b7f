"""What the tests of security events have in common."""

from typing import Any

from crm.db.tenancy import context
from security.events.models import SecurityEvent
from security.events.types import EventType


def stored_events(*event_types: EventType) -> list[Any]:
    """Return the events of these types, or all, of every team and of none; the oldest first."""
    with context(all_teams="on"):
        found = SecurityEvent.objects.order_by("created_at", "id")
        return list(found.filter(event_type__in=event_types) if event_types else found)


def types_of(events: list[Any]) -> list[str]:
    """Return the types of events."""
    return [event.event_type for event in events]
