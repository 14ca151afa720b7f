"""Background work of the guard; crm/schedule.py says when it runs."""

from crm.jobs import job
from security.ip_blocks import services as ip_blocks
from security.watching import telling, watcher


@job
def watch_events() -> None:
    """Ask the rules what happened since the last time, and tell those whom it concerns."""
    watcher.watch_events()
    telling.tell_findings()


@job
def delete_expired_blocks() -> None:
    """Delete blocks of addresses that were over a day ago."""
    ip_blocks.delete_expired_blocks()
