"""One event for a caller and a window, however many calls are refused."""

import hashlib
import threading
import time
from collections import OrderedDict
from typing import Any

from crm.env.rate import Rate
from security.events.collector import is_in_request, record_event
from security.events.types import EventType
from security.rate_limits.store import STORE_ERRORS, count_many
from security.rate_limits.verdict import Verdict

# Windows that this process need not ask the store about again; measured: 200 bytes each.
_MOST_REMEMBERED = 10_000
_GRACE_SECONDS = 5
_remembered: OrderedDict[str, None] = OrderedDict()
_lock = threading.Lock()


def record_refusal(verdict: Verdict, value: str, rate: Rate) -> None:
    """Record that a caller is above a limit, once a window of the limit."""
    record_once(
        EventType.RATE_LIMIT_EXCEEDED,
        subject=f"{verdict.limit.name}:{value}",
        until=verdict.reset_at,
        limit=verdict.limit.name,
        quota=str(rate),
        counted=value,
    )


def record_once(event_type: EventType, *, subject: str, until: int, **metadata: Any) -> None:
    """Record an event of a request, unless this window, which ends at `until`, has it already.

    Whoever repeats what is refused must not fill the table.
    """
    if not is_in_request():
        return
    # A digest, so that the store holds no address.
    digest = hashlib.sha256(f"{event_type}:{subject}:{until}".encode()).hexdigest()
    key = f"event:{digest[:40]}"
    if not _is_remembered(key) and _is_first(key, until):
        record_event(event_type, **metadata)


def forget_refusals() -> None:
    """Forget which windows have their record, as between tests."""
    with _lock:
        _remembered.clear()


def _is_first(key: str, until: int) -> bool:
    seconds = max(1, until - int(time.time())) + _GRACE_SECONDS
    try:
        return count_many({key: (1, seconds)})[key] == 1
    except STORE_ERRORS:
        # Each process tells by itself while they cannot agree.
        return True


def _is_remembered(key: str) -> bool:
    with _lock:
        if key in _remembered:
            return True
        _remembered[key] = None
        if len(_remembered) > _MOST_REMEMBERED:
            _remembered.popitem(last=False)
        return False
