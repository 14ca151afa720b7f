"""What must stand before this process should get requests. READINESS_CHECKS lists the checks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.module_loading import import_string
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# A check returns one line for each problem; none when all is well.
Check = Callable[[], list[str]]

# Readiness needs no login and has no limit: a flood of calls must not become a flood of queries.
_REMEMBERED_SECONDS: Final = 1.0
_remembered: tuple[float, Mapping[str, bool]] = (0.0, {})


def readiness() -> Mapping[str, bool]:
    """Return which of the named checks pass; problems go to the log, not to strangers."""
    global _remembered
    expires_at, results = _remembered
    now = time.monotonic()
    if now >= expires_at:
        results = {name: _passes(name, check) for name, check in _checks().items()}
        _remembered = (now + _REMEMBERED_SECONDS, results)
    return results


def forget_readiness() -> None:
    """Make the next call look again."""
    global _remembered
    _remembered = (0.0, {})


def database_problems() -> list[str]:
    """Return whether the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return []


def migration_problems() -> list[str]:
    """Return the migrations of this release that have not run."""
    applied = MigrationRecorder(connection).applied_migrations()
    missing = [key for key in _migrations() if key not in applied]
    return [f"Migration {app}.{name} has not run." for app, name in sorted(missing)]


def cache_problems() -> list[str]:
    """Return whether the store of counters keeps a value."""
    counters = caches["counters"]
    counters.set("readiness", 1, timeout=60)
    return [] if counters.get("readiness") == 1 else ["The counter store forgets."]


@lru_cache(maxsize=1)
def _checks() -> Mapping[str, Check]:
    return {name: import_string(path) for name, path in settings.READINESS_CHECKS.items()}


@lru_cache(maxsize=1)
def _migrations() -> frozenset[tuple[str, str]]:
    """Return the newest migration of each app, read from disk once."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.graph.leaf_nodes())


def _passes(name: str, check: Check) -> bool:
    try:
        problems = check()
    except (DatabaseError, InterfaceError, RedisError) as error:
        problems = [type(error).__name__]
    for problem in problems:
        logger.error("Not ready: %s: %s", name, problem)
    return not problems
