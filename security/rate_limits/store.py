"""The shared store of the counters, and whether it is up."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.db import DatabaseError
from redis.exceptions import RedisError

from crm.db.counter_cache import CounterCache

logger = logging.getLogger(__name__)

# RedisError holds ConnectionError, TimeoutError and what a read-only or full Redis answers.
STORE_ERRORS: Final = (DatabaseError, RedisError)


def counter_store() -> Any:
    """Return the cache of the counters: Redis with REDIS_URL, the PostgreSQL table without."""
    return caches[settings.RATELIMIT_USE_CACHE]


def count_many(deltas: Mapping[str, tuple[int, float]]) -> dict[str, int]:
    """Add to many counters in one round trip; return their new values.

    `deltas` is {key: (delta, seconds until the counter expires)}. Raises one of STORE_ERRORS.
    """
    store = counter_store()
    if isinstance(store, CounterCache):
        return store.count_many(deltas)
    return _count_many_in_redis(store, deltas)


def _count_many_in_redis(
    store: RedisCache, deltas: Mapping[str, tuple[int, float]]
) -> dict[str, int]:
    # MULTI: an increment without its expiry would stay for ever.
    pipeline = store._cache.get_client(None, write=True).pipeline(transaction=True)
    for key, (delta, seconds) in deltas.items():
        stored_key = store.make_and_validate_key(key)
        pipeline.incrby(stored_key, delta)
        pipeline.expire(stored_key, int(seconds))
    totals = pipeline.execute()[::2]
    return {key: int(total) for key, total in zip(deltas, totals, strict=True)}


def delete_expired_counters() -> int:
    """Delete some expired rows of the PostgreSQL table; return how many.

    Redis does that by itself.
    """
    store = counter_store()
    return store.delete_expired() if isinstance(store, CounterCache) else 0


class Outage:
    """Whether the store is down; logs the beginning and the end of an outage once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began_at: float | None = None

    @property
    def is_on(self) -> bool:
        """Tell whether the last use of the store failed."""
        return self._began_at is not None

    def begin(self, error: Exception) -> None:
        """Note that the store failed."""
        with self._lock:
            is_new = self._began_at is None
            if is_new:
                self._began_at = time.monotonic()
        if is_new:
            logger.error(
                "The counter store is down (%s): sign-in is refused, "
                "general limits are counted in each process alone",
                # PostgreSQL repeats the statement below the first line.
                str(error).partition("\n")[0],
            )

    def end(self) -> None:
        """Note that the store answered."""
        if self._began_at is None:
            return
        with self._lock:
            began_at, self._began_at = self._began_at, None
        if began_at is not None:
            logger.warning(
                "The counter store is back after %.0f seconds", time.monotonic() - began_at
            )


# One for the process: whoever uses the store first tells of its state.
outage: Final = Outage()
