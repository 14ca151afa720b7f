"""How many mails of a kind an address gets, whoever asks for them: RATE_LIMIT_MAILS_TO.

Judged where the mail is sent, in the job, so that no answer tells of it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from security.identifiers import failure_name
from security.rate_limits.store import count_many
from security.rate_limits.table import LIMITS
from security.rate_limits.windows import counter_key, seconds_to_keep, window_end

logger = logging.getLogger(__name__)

LIMIT = LIMITS["mails_to"]


@contextmanager
def mail_place(kind: str, address: str) -> Iterator[datetime | None]:
    """Take a place among the mails of a kind to an address, for the mail that the block sends.

    Yields None, or the moment from which there are places again: then send nothing. An exception
    in the block gives the place back, since the job will try again. Exact across processes and
    outside every transaction; raises one of STORE_ERRORS when it cannot be counted.
    """
    rate = LIMIT.rate
    if rate is None:
        yield None
        return
    # Kinds are counted apart: nobody's invitations keep an owner from a link of their own.
    value = f"to:{kind}:{failure_name(address)}"
    end = window_end(value, rate)
    key, seconds = counter_key(LIMIT, value, rate, end), seconds_to_keep(end)
    is_free = count_many({key: (1, seconds)})[key] <= rate.count
    is_taken = False
    try:
        if not is_free:
            logger.info("A mail is held back: its receiver got %s of kind %s", rate.count, kind)
        yield None if is_free else datetime.fromtimestamp(end + 1, UTC)
        is_taken = is_free
    finally:
        if not is_taken:
            count_many({key: (-1, seconds)})
