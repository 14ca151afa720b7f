"""Wrong codes are counted by account: 5 in 5 minutes, 20 in an hour (ASVS v5.0.0-6.6.3).

Signing in again changes nothing. Who guesses codes knows the password; to keep such a one from
shutting the owner out, a known device and a live session have a count of their own. What is wrong
there counts for the account too, so strangers gain no guess by it.
"""

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from accounts.models import WrongCode

LIMITS: Final = ((5, timedelta(minutes=5)), (20, timedelta(hours=1)))
_LONGEST: Final = max(window for _, window in LIMITS)


def wait_before_next(*, user_id: uuid.UUID, source: uuid.UUID | None) -> timedelta:
    """Return how long no code is judged; zero when one may be tried now.

    SECURITY: the caller holds the account's lock until its own wrong code is counted.
    """
    now = timezone.now()
    wrong = WrongCode.objects.filter(user_id=user_id, sent_at__gt=now - _LONGEST)
    if source is not None:
        wrong = wrong.filter(source=source)
    sent: list[datetime] = list(wrong.order_by("-sent_at").values_list("sent_at", flat=True))
    waits = [sent[count - 1] + window - now for count, window in LIMITS if len(sent) >= count]
    return max([timedelta(0), *waits])


def count_wrong_code(*, user_id: uuid.UUID, source: uuid.UUID | None) -> None:
    """Count one, and forget those that no longer matter."""
    now = timezone.now()
    WrongCode.objects.filter(user_id=user_id, sent_at__lte=now - _LONGEST).delete()
    WrongCode.objects.create(user_id=user_id, source=source, sent_at=now)
