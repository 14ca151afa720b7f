"""The parts of the security report. Every count is of the period, every time is UTC."""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when, and into how long stretches it is divided."""

    days: int
    since: datetime
    until: datetime
    bucket_hours: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of the period: how often each kind of event was in it, by `figures.KINDS`."""

    begin: datetime
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class TopAddress:
    """An address that was refused often, and when last."""

    ip_address: str
    refusals: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One thing that somebody should look at."""

    id: uuid.UUID
    created_at: datetime
    event_type: str
    severity: str
    user_email: str
    team_name: str
    ip_address: str | None
    message: str


@dataclass(frozen=True, slots=True)
class EndingKey:
    """An API key that works and ends soon."""

    id: uuid.UUID
    name: str
    masked: str
    team: str
    owner: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ChainState:
    """How far the audit trail is sealed, and what the last verification of all of it found."""

    chains: int
    sealed_entries: int
    sealed_up_to: datetime | None
    waiting_entries: int
    is_more_waiting: bool
    waiting_since: datetime | None
    verified_at: datetime | None
    verified_entries: int | None
    problems: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything. `counted_since` is later than the period's begin when events were too many."""

    period: Period
    counted_since: datetime
    totals: dict[str, int]
    buckets: list[Bucket]
    top_addresses: list[TopAddress]
    suspicions: list[Suspicion]
    active_blocks: int
    ending_keys: int
    first_ending_keys: list[EndingKey]
    chain: ChainState

    @property
    def is_complete(self) -> bool:
        """Tell whether all events of the period are counted."""
        return self.counted_since <= self.period.since

    def as_json(self) -> dict[str, Any]:
        """Return it as one object for `crm.api.json`."""
        return {**asdict(self), "is_complete": self.is_complete}
