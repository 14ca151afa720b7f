"""Judging an email and a password: the one guard behind every form and endpoint that asks them.

API, admin and later re-authentication count in the same place (ASVS v5.0.0-6.3.4).
"""

import hashlib
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.db import connection, transaction
from django.db.models import Max, OuterRef, Subquery
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Membership, User
from crm.api.errors import AccountLocked, InvalidCredentials
from crm.env import env
from security.events.collector import record_event
from security.events.types import EventType
from security.identifiers import failure_name
from security.rate_limits.exact import reserve_failure

_FAILURE_COUNT = """
    SELECT coalesce(sum(failures_since_start), 0) FROM axes_accessattempt
     WHERE username = %s AND attempt_time >= %s
"""


class _Outcome(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


class _Judgement(NamedTuple):
    outcome: _Outcome
    user: User | None = None
    failure_count: int = 0


def check_password(*, request: HttpRequest, email: str, password: str) -> User:
    """Return the user whose email and password these are.

    Raises `AccountLocked` after MAX_LOGIN_ATTEMPTS failures on the address, whether or not it
    exists, also for the right password; `InvalidCredentials` with the attempts that remain;
    `AuthRateLimited` after too many failures from the client's address; `ServiceUnavailable` when
    failures cannot be counted.
    """
    identifier = failure_name(email)
    # The transaction commits the failure; the exception comes after it.
    with transaction.atomic(durable=True):
        judgement = _judge_alone(request, identifier, password)
    if judgement.outcome is _Outcome.LOCKED:
        record_failure(identifier, reason="locked")
        raise account_locked(identifier)
    if judgement.user is None:
        record_failure(identifier, reason="wrong_credentials")
        if judgement.failure_count == env.max_login_attempts:
            record_about(EventType.ACCOUNT_LOCKED, identifier)
        remaining = max(0, env.max_login_attempts - judgement.failure_count)
        raise InvalidCredentials(details={"attemptsRemaining": remaining})
    return judgement.user


def _judge_alone(request: HttpRequest, identifier: str, password: str) -> _Judgement:
    """Judge one attempt at a time for each identifier.

    SECURITY: check and count are apart in django-axes; without the lock a burst of a hundred gets
    some twenty guesses instead of five.
    """
    _lock_identifier(identifier)
    failures_before = _failure_count(identifier)
    if failures_before >= env.max_login_attempts:
        return _Judgement(_Outcome.LOCKED)
    request.lockout_was_judged = True  # type: ignore[attr-defined]  # for LockoutBackend
    with reserve_failure("login", request) as reservation:
        user = authenticate(request, username=identifier, password=password)
        if user is not None:
            reservation.give_back()
    if not isinstance(user, User):
        _count_from_now(identifier)
        failure_count = request.axes_failures_since_start or 0  # type: ignore[attr-defined]
        return _Judgement(_Outcome.WRONG, failure_count=failure_count)
    if failures_before:
        AxesProxyHandler.reset_attempts(username=identifier)
    return _Judgement(_Outcome.RIGHT, user=user)


def _lock_identifier(identifier: str) -> None:
    """Wait until no other transaction judges this identifier; ends with the transaction."""
    digest = hashlib.sha256(f"sign-in:{identifier}".encode()).digest()
    with connection.cursor() as cursor:
        number = int.from_bytes(digest[:8], "big", signed=True)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _failure_count(identifier: str) -> int:
    """Return the failures that still count, as django-axes keeps them."""
    since = timezone.now() - env.lockout_duration
    with connection.cursor() as cursor:
        cursor.execute(_FAILURE_COUNT, [identifier, since])
        return int(cursor.fetchone()[0])


def _count_from_now(identifier: str) -> None:
    """Have all counted failures on the identifier forgotten together, after the last one.

    django-axes keeps a row with a time of its own for each browser and address: a guesser who
    changes them would see the lock end when his first failure is forgotten.
    """
    AccessAttempt.objects.filter(username=identifier).update(attempt_time=timezone.now())


def account_locked(identifier: str) -> AccountLocked:
    """Return the refusal of a locked account, with the seconds until it opens."""
    seconds = int(lock_ends_in(identifier).total_seconds()) + 1
    return AccountLocked(headers={"Retry-After": str(seconds)})


def lock_ends_in(identifier: str) -> timedelta:
    """Return the time until the last failure no longer counts; at least zero."""
    attempts = AccessAttempt.objects.filter(username=identifier)
    latest: datetime | None = attempts.aggregate(at=Max("attempt_time"))["at"]
    if latest is None:
        return timedelta(0)
    return max(timedelta(0), latest + env.lockout_duration - timezone.now())


def unlock_account(email: str) -> bool:
    """Forget the failures on an address; return whether there were any."""
    identifier = failure_name(email)
    forgotten: int = AxesProxyHandler.reset_attempts(username=identifier)
    if forgotten:
        record_about(EventType.ACCOUNT_UNLOCKED, identifier)
    return forgotten > 0


def record_failure(identifier: str, *, reason: str) -> None:
    """Record that a sign-in with this address failed."""
    record_about(EventType.SIGN_IN_FAILED, identifier, reason=reason)


def record_about(event_type: EventType, identifier: str, **metadata: Any) -> None:
    """Record an event about whoever has this address, in the team that a sign-in would open.

    SECURITY: one query, whether or not the address exists, so that its time tells nothing. What
    was typed is kept only when it may be an address: people type passwords into the field.
    """
    first_team = Membership.objects.filter(
        user=OuterRef("pk"), is_active=True, team__is_active=True
    ).order_by("created_at", "pk")
    about = User.objects.filter(email=identifier).annotate(
        team_id=Subquery(first_team.values("team_id")[:1])
    )
    user_id, team_id = about.values_list("pk", "team_id").first() or (None, None)
    if "@" in identifier:
        metadata["email"] = identifier
    record_event(event_type, user_id=user_id, team_id=team_id, **metadata)
