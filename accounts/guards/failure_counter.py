"""Failures under one name: how many count, how long they lock, and when they are forgotten.

The name is an address, whether or not it exists, or a known device. django-axes keeps the
failures; `Lockout` keeps how often they locked of late.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from axes.models import AccessAttempt
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from accounts.models import Lockout
from crm.env import env

# A lock lasts twice as long as the one before, unless there was none for this long.
LOCK_MEMORY: Final = timedelta(days=1)
LONGEST_LOCK: Final = 8  # times LOCKOUT_DURATION

_STANDING = """
    SELECT (SELECT coalesce(sum(failures_since_start), 0) FROM axes_accessattempt
             WHERE username = %(name)s AND attempt_time >= %(since)s),
           locks.lock_count, locks.locked_until
      FROM (SELECT) AS one
      LEFT JOIN accounts_lockout locks ON locks.name = %(name)s
"""


class Standing(NamedTuple):
    """What is held against a name."""

    failure_count: int
    lock_count: int | None
    locked_until: datetime | None

    @property
    def is_locked(self) -> bool:
        """Tell whether nothing is judged under the name."""
        is_waiting = self.locked_until is not None and self.locked_until > timezone.now()
        return is_waiting or self.failure_count >= env.max_login_attempts

    @property
    def is_clean(self) -> bool:
        """Tell whether there is nothing to forget."""
        return not self.failure_count and self.lock_count is None


def wait_for_turn(name: str) -> None:
    """Wait until no other transaction judges under this name; ends with the transaction."""
    digest = hashlib.sha256(f"sign-in:{name}".encode()).digest()
    with connection.cursor() as cursor:
        number = int.from_bytes(digest[:8], "big", signed=True)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def standing_of(name: str) -> Standing:
    """Return what counts against a name, in one statement."""
    since = timezone.now() - env.lockout_duration
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"name": name, "since": since})
        failure_count, lock_count, locked_until = cursor.fetchone()
    return Standing(int(failure_count), lock_count, locked_until)


def count_from_now(name: str) -> None:
    """Have all counted failures under a name forgotten together, after the last one.

    django-axes keeps a row with a time of its own for each browser and address: a guesser who
    changes them would see the lock end when his first failure is forgotten.
    """
    AccessAttempt.objects.filter(username=name).update(attempt_time=timezone.now())


def note_lock(name: str, standing: Standing) -> None:
    """Note that a name was locked just now, for LOCKOUT_DURATION or, again within a day, longer.

    `standing` is what counted before; the caller has waited for its turn.
    """
    now = timezone.now()
    is_again = standing.locked_until is not None and standing.locked_until > now - LOCK_MEMORY
    lock_count = (standing.lock_count or 0) + 1 if is_again else 1
    factor = min(2 ** (lock_count - 1), LONGEST_LOCK)
    Lockout.objects.update_or_create(
        name=name,
        defaults={
            "lock_count": lock_count,
            "locked_at": now,
            "locked_until": now + env.lockout_duration * factor,
            "is_announced": False,
        },
    )


def opens_in(name: str) -> timedelta:
    """Return the time until a locked name opens; at least zero."""
    attempts = AccessAttempt.objects.filter(username=name)
    latest: datetime | None = attempts.aggregate(at=Max("attempt_time"))["at"]
    locked_until = Lockout.objects.filter(pk=name).values_list("locked_until", flat=True).first()
    ends = [locked_until, latest + env.lockout_duration if latest else None]
    return max([timedelta(0), *(end - timezone.now() for end in ends if end is not None)])


def forget(names: Collection[str]) -> bool:
    """Forget failures and locks under the names; return whether there were any."""
    failures, _ = AccessAttempt.objects.filter(username__in=names).delete()
    locks, _ = Lockout.objects.filter(pk__in=names).delete()
    return bool(failures or locks)
