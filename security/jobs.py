"""Background work of the guard; crm/schedule.py says when it runs."""

import logging

from crm.jobs import job
from security import upkeep
from security.api_keys import expiry
from security.audit.chain import UnknownKey
from security.audit.heads import BrokenChain
from security.audit.sealer import seal_all
from security.ip_blocks import services as ip_blocks
from security.watching import telling, watcher

logger = logging.getLogger(__name__)


@job
def watch_events() -> None:
    """Ask the rules what happened since the last time, and tell those whom it concerns."""
    watcher.watch_events()
    telling.tell_findings()


@job
def delete_expired_blocks() -> None:
    """Delete blocks of addresses that were over a day ago."""
    ip_blocks.delete_expired_blocks()


@job
def warn_of_expiring_keys() -> None:
    """Tell owners and admins of keys that end in 30, 7 and 1 days."""
    expiry.warn_of_expiring_keys()


@job
def seal_audit_trail() -> None:
    """Link finished entries of the audit trail into their team's chain."""
    if upkeep.has_owner():
        try:
            seal_all()
        except (BrokenChain, UnknownKey) as error:
            # The nightly proof tells superusers; a failed job a minute would tell nobody more.
            logger.error("Not all of the audit trail is sealed: %s", error)


@job
def prune_audit_trail() -> None:
    """Take entries older than AUDIT_RETENTION out of the trail."""
    if upkeep.has_owner():
        upkeep.prune_audit_trail()


@job
def prove_audit_trail() -> None:
    """Prove the audit trail, and mail superusers when it is broken."""
    found = upkeep.prove_audit_trail()
    for problem in found.problems:
        logger.error("The audit trail is broken: %s", problem)


@job
def keep_event_partitions() -> None:
    """Make the next months of the security events and drop those past EVENT_RETENTION."""
    if upkeep.has_owner():
        upkeep.keep_event_partitions()


@job
def delete_old_counts() -> None:
    """Delete usage of keys, findings, notices and counters past their time."""
    upkeep.delete_old_counts()
