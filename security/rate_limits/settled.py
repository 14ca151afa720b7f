"""Limits counted in the process and settled with the shared store by one thread.

The bound: let L be the limit and P the number of processes. Each process admits a call on its own
word while its unsettled calls on that counter stay at or below `slack = L // 40`, and while the
last total it saw plus its unsettled calls stays below L; any further call is counted in the store
before it is answered. Consider the settlement that lifts the store's total above L. Before it, at
most L calls were settled. Each process, the settling one included, holds at most `slack` further
calls that it admitted: to admit more it must settle, and then it reads a total above L and refuses
until the window ends. So at most L + P * slack calls are admitted: with up to four processes at
most 1.1 L. Limits below 40 have no slack: every call is counted in the store, and none is admitted
too many.
"""

import os
import threading
import time
import zlib
from collections import OrderedDict
from itertools import islice
from typing import Final

from crm.env.rate import Rate
from security.rate_limits.store import STORE_ERRORS, count_many, delete_expired_counters, outage
from security.rate_limits.table import LIMITS, NamedLimit
from security.rate_limits.verdict import Verdict
from security.rate_limits.windows import counter_key, seconds_to_keep, window_end

# A tenth of the limit, shared by four processes.
SLACK_SHARE = 40
TICK_SECONDS = 1.0
TIDY_SECONDS = 60.0
BATCH_SIZE = 500
# For each limit; measured: 400 bytes each.
MAX_BUCKETS = 50_000
# What new callers share while the store is down and the table is full.
OVERFLOW_BUCKETS = 256


class _Bucket:
    """What this process knows about one caller's present window."""

    __slots__ = ("delta", "is_unknown", "key", "rate", "settled", "slack", "window_end")

    def __init__(self, limit: NamedLimit, value: str, rate: Rate) -> None:
        self.rate = rate
        self.slack = rate.count // SLACK_SHARE
        self.window_end = window_end(value, rate)
        self.key = counter_key(limit, value, rate, self.window_end)
        # The total that the store told last, and the calls admitted since that it does not know.
        self.settled = 0
        self.delta = 0
        # Whether the first call must ask the store before it is answered.
        self.is_unknown = False

    def is_spent(self) -> bool:
        return self.settled + self.delta >= self.rate.count

    def is_trusted(self) -> bool:
        """Tell whether a call may be admitted without asking the store."""
        return outage.is_on or (self.delta < self.slack and not self.is_unknown)

    def verdict(self, limit: NamedLimit, *, is_allowed: bool) -> Verdict:
        remaining = max(0, self.rate.count - self.settled - self.delta)
        return Verdict(limit, is_allowed, self.rate.count, remaining, self.window_end)


class SettledCounter:
    """The counters of one process. Thread-safe; a forked child starts with empty ones."""

    def __init__(self) -> None:
        self._start_empty()
        os.register_at_fork(after_in_child=self._start_empty)

    def count(self, limit: NamedLimit, value: str, rate: Rate) -> Verdict:
        """Count one call and return the limit's verdict. A store that is down raises nothing."""
        with self._lock:
            bucket = self._bucket(limit, value, rate)
            verdict = self._decide(limit, bucket)
        return verdict or self._decide_in_store(limit, bucket)

    def settle(self) -> None:
        """Tell the store of all calls that it does not know, and learn the totals."""
        for _ in range(1 + len(self._dirty) // BATCH_SIZE):
            with self._settling:
                batch = self._next_batch()
                if not batch or not self._send(batch):
                    return

    def tidy(self) -> None:
        """Forget windows that are over, here and in the store."""
        now = int(time.time())
        for table in self._tables.values():
            with self._lock:
                rows = list(table.items())
            for value, bucket in rows:
                if bucket.window_end < now:
                    with self._lock:
                        if table.get(value) is bucket:
                            del table[value]
        try:
            delete_expired_counters()
        except STORE_ERRORS as error:
            outage.begin(error)

    def forget(self) -> None:
        """Forget every count of this process, as between tests."""
        with self._settling, self._lock:
            self._dirty.clear()
            for table in self._tables.values():
                table.clear()

    def stop(self) -> None:
        """Settle, end the thread and forget everything. The next call starts anew."""
        thread = self._thread
        self._is_stopping = True
        self._wake.set()
        if thread is not None:
            thread.join()
        self._start_empty()

    def _start_empty(self) -> None:
        self._lock = threading.Lock()
        # One settlement at a time: totals that come back out of order would be misread.
        self._settling = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._tables: dict[str, OrderedDict[str, _Bucket]] = {
            name: OrderedDict() for name in LIMITS
        }
        self._dirty: dict[_Bucket, None] = {}

    def _decide(self, limit: NamedLimit, bucket: _Bucket) -> Verdict | None:
        """Return the verdict that needs no store, or None. The lock is held."""
        if bucket.is_spent():
            return bucket.verdict(limit, is_allowed=False)
        if not bucket.is_trusted():
            return None
        self._admit(bucket)
        # Half of the slack is left for the calls that arrive until the thread has settled.
        if 2 * bucket.delta >= bucket.slack and not outage.is_on:
            self._wake.set()
        return bucket.verdict(limit, is_allowed=True)

    def _decide_in_store(self, limit: NamedLimit, bucket: _Bucket) -> Verdict:
        with self._settling:
            with self._lock:
                verdict = self._decide(limit, bucket)
                if verdict:
                    return verdict
                self._admit(bucket)
                batch = {bucket: bucket.delta}
            # The call is the last of its batch, so the total is its rank.
            is_allowed = not self._send(batch) or bucket.settled <= bucket.rate.count
            return bucket.verdict(limit, is_allowed=is_allowed)

    def _admit(self, bucket: _Bucket) -> None:
        bucket.delta += 1
        self._dirty[bucket] = None
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="rate-limits", daemon=True)
            self._thread.start()

    def _bucket(self, limit: NamedLimit, value: str, rate: Rate) -> _Bucket:
        """Return the caller's bucket of the present window. The lock is held."""
        table = self._tables[limit.name]
        bucket = table.get(value)
        if bucket is not None and bucket.window_end >= int(time.time()) and bucket.rate == rate:
            return bucket
        is_full = bucket is None and len(table) >= MAX_BUCKETS
        if is_full and outage.is_on:
            # SECURITY: nobody's count is dropped to make room, it could not be learnt again.
            value = f"overflow:{zlib.crc32(value.encode()) % OVERFLOW_BUCKETS}"
            if value in table and table[value].window_end >= int(time.time()):
                return table[value]
        elif is_full:
            table.popitem(last=False)
        table[value] = bucket = _Bucket(limit, value, rate)
        # SECURITY: whoever was pushed out of a full table, or says so, asks the store first, so
        # that filling the table does not reset a count.
        bucket.is_unknown = is_full
        return bucket

    def _next_batch(self) -> dict[_Bucket, int]:
        now = int(time.time())
        with self._lock:
            for bucket in [bucket for bucket in self._dirty if bucket.window_end < now]:
                del self._dirty[bucket]
            return {bucket: bucket.delta for bucket in islice(self._dirty, BATCH_SIZE)}

    def _send(self, batch: dict[_Bucket, int]) -> bool:
        """Settle the batch; return False, and change nothing, when the store is down."""
        deltas = {
            bucket.key: (delta, seconds_to_keep(bucket.window_end))
            for bucket, delta in batch.items()
        }
        try:
            totals = count_many(deltas)
        except STORE_ERRORS as error:
            outage.begin(error)
            return False
        outage.end()
        with self._lock:
            for bucket, delta in batch.items():
                bucket.settled = totals[bucket.key]
                bucket.delta -= delta
                bucket.is_unknown = False
                if bucket.delta == 0:
                    self._dirty.pop(bucket, None)
        return True

    def _run(self) -> None:
        """Settle when woken and once a second, until stopped; the body of the thread."""
        tidy_at = time.monotonic() + TIDY_SECONDS
        while not self._is_stopping:
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
            self.settle()
            if time.monotonic() >= tidy_at:
                self.tidy()
                tidy_at = time.monotonic() + TIDY_SECONDS


# The one of this process.
settled_counter: Final = SettledCounter()
