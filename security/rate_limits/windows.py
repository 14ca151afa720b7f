"""When a window ends and under which key it is counted, for exact and settled limits alike.

Both ask django-ratelimit, so that they tell the same RateLimit-Reset for the same caller. The two
functions are private there; the version is pinned and the tests hold them to `get_usage`.
"""

import time

from django_ratelimit import ALL
from django_ratelimit.core import EXPIRATION_FUDGE, _get_window, _make_cache_key

from crm.env.rate import Rate
from security.rate_limits.table import NamedLimit


def window_end(value: str, rate: Rate) -> int:
    """Return the last second of the present window; windows of different values end apart."""
    end: int = _get_window(value, rate.seconds)
    return end


def counter_key(limit: NamedLimit, value: str, rate: Rate, end: int) -> str:
    """Return the key of the shared store: a digest, so that the store holds no address."""
    key: str = _make_cache_key(limit.name, end, (rate.count, rate.seconds), value, ALL)
    return key


def seconds_to_keep(end: int) -> int:
    """Return how long the store keeps a counter: a little past the window's end."""
    seconds: int = end - int(time.time()) + EXPIRATION_FUDGE
    return max(1, seconds)
