"""Events without the requests that would make them, for the tests of the rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Membership
from security.events.models import SecurityEvent
from security.events.types import SPECS, EventType

# Twenty past the hour: some minutes before and after are the same hour.
NOW = datetime.now(tz=UTC).replace(hour=12, minute=20, second=0, microsecond=0)
_FACTS = ("email", "session_id", "is_new_device")
FAILED, SIGNED_IN = EventType.SIGN_IN_FAILED, EventType.SIGN_IN_SUCCEEDED


def happen(event_type: EventType, *, ago: timedelta = timedelta(0), **fields: Any) -> None:
    """Leave an event without the request that would make it; facts go into its metadata."""
    spec = SPECS[event_type]._asdict()
    metadata = {name: fields.pop(name) for name in _FACTS if name in fields}
    values = {"created_at": NOW - ago, "ip_address": "203.0.113.7", "metadata": metadata, **fields}
    SecurityEvent.objects.create(event_type=event_type, **spec, **values)


def whom(member: Membership) -> dict[str, Any]:
    return {"user_id": member.user_id, "team_id": member.team_id}
