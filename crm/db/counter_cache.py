"""A Django cache of integers in an UNLOGGED PostgreSQL table, for counting without Redis."""

from collections.abc import Mapping
from typing import Any, Final

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

from crm.db.autonomous import AutonomousConnections

# One pool for the process: Django makes a cache object for every thread.
connections: Final = AutonomousConnections()

# In all of them NULL seconds mean that the counter never expires.
_GET = "SELECT value FROM crm_counter WHERE key = %s AND expires_at > now()"
_SET = """
    INSERT INTO crm_counter (key, value, expires_at)
    VALUES (%s, %s, coalesce(now() + make_interval(secs => %s), 'infinity'))
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
"""
_ADD = _SET + "WHERE crm_counter.expires_at <= now() RETURNING value"
_INCREMENT = """
    UPDATE crm_counter SET value = value + %s WHERE key = %s AND expires_at > now()
    RETURNING value
"""
# The rows come in the order of the keys, so that two processes cannot lock each other out.
_COUNT_MANY = """
    INSERT INTO crm_counter (key, value, expires_at)
    SELECT key, delta, now() + make_interval(secs => seconds)
    FROM unnest(%s::text[], %s::bigint[], %s::float8[]) AS counted (key, delta, seconds)
    ON CONFLICT (key) DO UPDATE SET
        value = excluded.value
            + CASE WHEN crm_counter.expires_at > now() THEN crm_counter.value ELSE 0 END,
        expires_at = greatest(crm_counter.expires_at, excluded.expires_at)
    RETURNING key, value
"""
_TOUCH = """
    UPDATE crm_counter SET expires_at = coalesce(now() + make_interval(secs => %s), 'infinity')
    WHERE key = %s AND expires_at > now() RETURNING value
"""
_DELETE = "DELETE FROM crm_counter WHERE key = %s RETURNING expires_at > now()"
# Materialized: a sub-select of IN may be run once for each row, with the limit counted anew.
_DELETE_EXPIRED = """
    WITH expired AS MATERIALIZED (
        SELECT key FROM crm_counter WHERE expires_at <= now() LIMIT %s FOR UPDATE SKIP LOCKED
    )
    DELETE FROM crm_counter USING expired WHERE crm_counter.key = expired.key RETURNING 1
"""


class CounterCache(BaseCache):
    """Integers that expire. Every operation is one atomic statement in its own transaction.

    A count outlives the rollback of the request it was made in, and its row is locked for the one
    statement only. Raises `django.db.DatabaseError` when the server is down. Nothing is culled:
    filling the table cannot make it forget a counter. Expired rows count as absent; they are
    deleted by `delete_expired`, which the settling thread of the rate limits calls now and then.
    """

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """Store the value unless the key holds one; return whether it was stored."""
        return bool(connections.fetch(_ADD, self._row(key, value, timeout, version)))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return the value, or the default."""
        rows = connections.fetch(_GET, [self.make_and_validate_key(key, version)])
        return rows[0][0] if rows else default

    def set(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        """Store the value."""
        connections.fetch(_SET, self._row(key, value, timeout, version))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Let the key expire `timeout` seconds from now; return whether it was there."""
        key = self.make_and_validate_key(key, version)
        return bool(connections.fetch(_TOUCH, [self._seconds(timeout), key]))

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget the key; return whether it was there."""
        rows = connections.fetch(_DELETE, [self.make_and_validate_key(key, version)])
        return bool(rows and rows[0][0])

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to the value and return it; raises ValueError when the key holds none."""
        rows = connections.fetch(_INCREMENT, [delta, self.make_and_validate_key(key, version)])
        if not rows:
            raise ValueError(f"Key {key!r} not found")
        return int(rows[0][0])

    def count_many(self, deltas: Mapping[str, tuple[int, float]]) -> dict[str, int]:
        """Add to many counters in one statement; return their new values.

        `deltas` is {key: (delta, seconds until the counter expires)}; absent counters start at 0.
        """
        names = {self.make_and_validate_key(key): key for key in deltas}
        ordered = sorted(names)
        rows = connections.fetch(
            _COUNT_MANY,
            [
                ordered,
                [deltas[names[key]][0] for key in ordered],
                [deltas[names[key]][1] for key in ordered],
            ],
        )
        return {names[key]: int(value) for key, value in rows}

    def clear(self) -> None:
        """Forget every counter."""
        connections.fetch("DELETE FROM crm_counter")

    def delete_expired(self, limit: int = 1000) -> int:
        """Delete at most `limit` expired rows and return how many they were.

        Rows that another process is deleting are passed over. Safe to run at any time, as from a
        shell: `caches["counters"].delete_expired()`.
        """
        return len(connections.fetch(_DELETE_EXPIRED, [limit]))

    def _row(self, key: str, value: Any, timeout: Any, version: int | None) -> list[object]:
        if type(value) is not int:
            raise TypeError(f"a counter holds integers, not {type(value).__name__}")
        return [self.make_and_validate_key(key, version), value, self._seconds(timeout)]

    def _seconds(self, timeout: Any) -> float | None:
        """Return the seconds until expiry: 0 or less is at once, None is never."""
        return self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
