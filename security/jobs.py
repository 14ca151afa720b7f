"""Background jobs of the guard."""

from crm.jobs import job
from security.ip_blocks import services as ip_blocks


@job
def delete_expired_blocks() -> None:
    """Delete blocks of addresses that were over a day ago."""
    ip_blocks.delete_expired_blocks()
