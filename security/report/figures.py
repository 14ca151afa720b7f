"""Computing the security report, in a few statements that read a bounded number of rows.

It reads events and entries of every team: the caller opens the door of all teams.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from security.events.models import SecurityEvent
from security.events.types import EventType, Severity
from security.ip_blocks.models import IpBlock
from security.models import ApiKey
from security.report.chain import chain_state
from security.report.shape import Bucket, EndingKey, Period, Report, Suspicion, TopAddress

MOST_DAYS = 366
# Counting more would keep the reader waiting; the report says from when on it counted.
MOST_COUNTED = 100_000
MOST_LISTED = 10
ENDS_SOON = timedelta(days=30)
# At most so many days are shown in stretches of so many hours; more, in whole days.
_STRETCHES = ((7, 1), (31, 6))

# The kinds of events that are counted, and their types.
KINDS: Final[Mapping[str, tuple[EventType, ...]]] = MappingProxyType(
    {
        "sign_ins": (EventType.SIGN_IN_SUCCEEDED,),
        "failures": (EventType.SIGN_IN_FAILED,),
        "locks": (EventType.ACCOUNT_LOCKED,),
        "blocks": (EventType.ADDRESS_BLOCKED,),
        "thefts": (EventType.TOKEN_REUSED,),
        "honeypots": (EventType.HONEYPOT_HIT,),
        "suspicions": (EventType.SUSPICIOUS_ACTIVITY,),
        "refusals": (
            EventType.PERMISSION_DENIED,
            EventType.SCOPE_DENIED,
            EventType.ADDRESS_DENIED,
            EventType.API_KEY_DENIED,
            EventType.API_KEY_EXPIRED,
            EventType.RATE_LIMIT_EXCEEDED,
        ),
    }
)
_KIND_OF = {str(name): kind for kind, names in KINDS.items() for name in names}
# Kinds that tell of an attacker at an address.
HOSTILE = ("failures", "locks", "honeypots", "refusals")
_HOSTILE_TYPES = [name for name, kind in _KIND_OF.items() if kind in HOSTILE]

# The newest events of the counted types, of every team and of none.
_BUCKETS = """
    WITH counted AS MATERIALIZED (
        SELECT event_type, created_at FROM security_event
         WHERE created_at >= %(since)s AND created_at < %(until)s AND event_type = ANY(%(types)s)
         ORDER BY created_at DESC, id DESC LIMIT %(most)s)
    SELECT date_bin(%(stretch)s, created_at, %(since)s) AS begin, event_type, count(*),
           min(created_at)
      FROM counted GROUP BY 1, 2
"""
_ADDRESSES = """
    WITH counted AS MATERIALIZED (
        SELECT event_type, created_at, ip_address FROM security_event
         WHERE created_at >= %(since)s AND created_at < %(until)s AND event_type = ANY(%(types)s)
         ORDER BY created_at DESC, id DESC LIMIT %(most)s)
    SELECT host(ip_address), count(*), max(created_at) FROM counted
     WHERE ip_address IS NOT NULL
     GROUP BY ip_address ORDER BY 2 DESC, 3 DESC LIMIT %(listed)s
"""


def security_report(days: int = 7, *, now: datetime | None = None) -> Report:
    """Return the figures of the last days, 1 to `MOST_DAYS`; inside the door of all teams."""
    period = period_of(days, now or timezone.now())
    buckets, counted_since = _buckets(period)
    totals = Counter[str]()
    for bucket in buckets:
        totals.update(bucket.counts)
    ending = ApiKey.objects.usable().filter(expires_at__lt=period.until + ENDS_SOON)
    return Report(
        period=period,
        counted_since=counted_since,
        totals={kind: totals[kind] for kind in KINDS},
        buckets=buckets,
        top_addresses=_top_addresses(period),
        suspicions=_suspicions(period),
        active_blocks=IpBlock.objects.active().count(),
        ending_keys=ending.count(),
        first_ending_keys=[_ending_key(key) for key in _soonest(ending)],
        chain=chain_state(),
    )


def period_of(days: int, now: datetime) -> Period:
    """Return the period that ends now and begins with a whole stretch. Raises `ValueError`."""
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"days must be between 1 and {MOST_DAYS}")
    hours = next((hours for most, hours in _STRETCHES if days <= most), 24)
    since = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    since = since.replace(hour=since.hour - since.hour % hours) + timedelta(hours=hours)
    return Period(days=days, since=since, until=now, bucket_hours=hours)


def _buckets(period: Period) -> tuple[list[Bucket], datetime]:
    """Return every stretch of the period, and from when on its events are counted."""
    rows = _fetch(_BUCKETS, period)
    found: dict[datetime, Counter[str]] = {}
    for begin, event_type, count, _ in rows:
        found.setdefault(begin, Counter())[_KIND_OF[event_type]] += count
    is_cut = sum(count for _, _, count, _ in rows) >= MOST_COUNTED
    counted_since = min(first for *_, first in rows) if is_cut else period.since
    step = timedelta(hours=period.bucket_hours)
    begins = [
        period.since + number * step for number in range(-(-(period.until - period.since) // step))
    ]
    return [Bucket(begin, dict(found.get(begin, {}))) for begin in begins], counted_since


def _top_addresses(period: Period) -> list[TopAddress]:
    return [TopAddress(*row) for row in _fetch(_ADDRESSES, period, types=_HOSTILE_TYPES)]


def _fetch(statement: str, period: Period, *, types: list[str] | None = None) -> list[Any]:
    values: dict[str, Any] = {
        "since": period.since,
        "until": period.until,
        "stretch": timedelta(hours=period.bucket_hours),
        "types": types or list(_KIND_OF),
        "most": MOST_COUNTED,
        "listed": MOST_LISTED,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _suspicions(period: Period) -> list[Suspicion]:
    """Return the newest suspicious activity, and whatever else is critical."""
    within = SecurityEvent.objects.filter(created_at__gte=period.since)
    suspicious = within.filter(event_type=EventType.SUSPICIOUS_ACTIVITY.value)
    critical = within.filter(severity=Severity.CRITICAL.value)
    newest = {
        event.pk: event
        for chosen in (suspicious, critical)
        for event in chosen.order_by("-created_at", "-id")[:MOST_LISTED]
    }
    ordered = sorted(newest.values(), key=lambda event: event.created_at, reverse=True)
    return [_suspicion(event) for event in ordered[:MOST_LISTED]]


def _suspicion(event: SecurityEvent) -> Suspicion:
    """Return what to show of an event; of suspicious activity, which rule found what."""
    found = event.metadata
    rule = str(found.get("rule", "")).replace("_", " ")
    return Suspicion(
        id=event.id,
        created_at=event.created_at,
        event_type=event.event_type,
        severity=event.severity,
        user_email=event.user_email,
        team_name=event.team_name,
        ip_address=event.ip_address,
        message=f"{rule}: {found.get('subject', '')}" if rule else event.message,
    )


def _soonest(keys: Any) -> Any:
    return keys.select_related("team", "owner").order_by("expires_at")[:MOST_LISTED]


def _ending_key(key: Any) -> EndingKey:
    return EndingKey(key.pk, key.name, key.masked, key.team.name, key.owner.email, key.expires_at)
