"""The one door through which staff see every team's rows. Each opening is recorded."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from crm.db.tenancy import context
from security.events.collector import record_event
from security.events.types import EventType

logger = logging.getLogger(__name__)


@contextmanager
def all_teams(*, reason: str, actor_id: str, actor_label: str) -> Iterator[None]:
    """Run a block in a transaction that sees all teams, as a member of staff.

    The door closes with the block, also when the block is nested in a longer transaction; in
    another opening of the door it stays open until the outer block ends.
    """
    record_event(EventType.ALL_TEAMS_OPENED, reason=reason, opened_by=actor_label)
    logger.info("All-teams door opened by %s: %s", actor_id or actor_label, reason)
    with context(all_teams="on", actor_kind="staff", actor_id=actor_id, actor_label=actor_label):
        yield
