"""Wrong codes are counted by account: 5 in 5 minutes, 20 in an hour, 100 a day (ASVS 6.6.3).

Signing in again changes nothing. Who guesses codes knows the password; to keep such a one from
shutting the owner out, a device on which a sign-in was completed with the present factors has a
count of its own. What is wrong there counts for the account too, so strangers gain no guess by it.
All such devices together have 50 a day, so an account judges 150 wrong codes a day under one
password, however many devices there are; a new password begins the hundred anew, so that whoever
knew the old one keeps nobody out, and leaves the twenty (ADR 8).
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from accounts.models import User, WrongCode

Limit = tuple[int, timedelta]
_LONGEST: Final = timedelta(days=1)
LIMITS: Final[Sequence[Limit]] = ((5, timedelta(minutes=5)), (20, timedelta(hours=1)))
STRANGERS_A_DAY: Final[Limit] = (100, _LONGEST)
OWN_DEVICES_A_DAY: Final[Limit] = (50, _LONGEST)


def wait_before_next(*, user: User, source: uuid.UUID | None) -> timedelta:
    """Return how long no code is judged; zero when one may be tried now.

    SECURITY: the caller holds the account's lock until its own wrong code is counted.
    """
    now = timezone.now()
    wrong = WrongCode.objects.filter(user=user, sent_at__gt=now - _LONGEST)
    sent = list(wrong.order_by("-sent_at").values_list("sent_at", "source"))
    if source is None:
        by_anybody = [at for at, _ in sent]
        by_this_password = [at for at in by_anybody if at > user.password_changed_at]
        a_day = _wait(by_this_password, [STRANGERS_A_DAY], now)
        return max(_wait(by_anybody, LIMITS, now), a_day)
    # SECURITY: without those of strangers, or they could fill the owner's count.
    own_devices = [at for at, device in sent if device is not None]
    own = [at for at, device in sent if device == source]
    return max(_wait(own, LIMITS, now), _wait(own_devices, [OWN_DEVICES_A_DAY], now))


def count_wrong_code(*, user_id: uuid.UUID, source: uuid.UUID | None) -> None:
    """Count one, and forget those that no longer matter."""
    now = timezone.now()
    WrongCode.objects.filter(user_id=user_id, sent_at__lte=now - _LONGEST).delete()
    WrongCode.objects.create(user_id=user_id, source=source, sent_at=now)


def _wait(sent: Sequence[datetime], limits: Iterable[Limit], now: datetime) -> timedelta:
    """Return how long the limits are reached; what was sent last comes first."""
    waits = [sent[count - 1] + window - now for count, window in limits if len(sent) >= count]
    return max([timedelta(0), *waits])
