"""Judging an email and a password: the one guard behind every form and endpoint that asks them.

API, admin and re-authentication count in the same place (ASVS v5.0.0-6.3.4): on the device by which
the owner is known, or for all strangers together on the address. So no stranger locks the owner out
of a known device, as OWASP's device cookies have it.
"""

import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Any, NamedTuple

from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest

from accounts.devices.known_devices import find_known_device, sent_tokens
from accounts.devices.tokens import DeviceToken
from accounts.guards import failure_counter
from accounts.guards.failure_counter import Standing
from accounts.models import Device, Membership, User
from accounts.models.lockout import counter_name, device_of_counter
from crm.api.errors import AccountLocked, InvalidCredentials
from crm.env import env
from security.events.collector import record_event
from security.events.types import EventType
from security.identifiers import failure_name
from security.rate_limits.exact import Reservation, reserve_failure


class _Outcome(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


class _Judgement(NamedTuple):
    outcome: _Outcome
    user: User | None = None
    failure_count: int = 0


class Checked(NamedTuple):
    """Whose email and password these are, and the known device that they came from."""

    user: User
    device: Device | None


def check_password(
    *, request: HttpRequest, email: str, password: str, session_id: uuid.UUID | None = None
) -> User:
    """Return the user whose email and password these are; raises what `check_credentials` raises.

    Where somebody is signed in, `session_id` makes the device of their session a known one.
    """
    tokens = sent_tokens(request)
    return check_credentials(
        request=request, email=email, password=password, tokens=tokens, session_id=session_id
    ).user


def check_credentials(
    *,
    request: HttpRequest,
    email: str,
    password: str,
    tokens: Sequence[DeviceToken],
    session_id: uuid.UUID | None = None,
) -> Checked:
    """Return the user whose email and password these are, and their known device.

    Raises `AccountLocked` after MAX_LOGIN_ATTEMPTS failures, also for the right password: of the
    known device that `tokens` prove, or else of all strangers on the address, whether or not it
    exists; `InvalidCredentials` with the attempts that remain; `AuthRateLimited` after too many
    failures from a stranger's network address; `ServiceUnavailable` when those cannot be counted.
    """
    identifier = failure_name(email)
    device = find_known_device(email=identifier, tokens=tokens, session_id=session_id)
    name = identifier if device is None else counter_name(device.pk)
    # The transaction commits the failure; the exception comes after it.
    with transaction.atomic(durable=True):
        judgement = _judge_alone(request, identifier, password, name=name)
    if judgement.outcome is _Outcome.LOCKED:
        record_failure(identifier, reason="locked", **_facts(device))
        raise account_locked(name)
    if judgement.user is None:
        record_failure(identifier, reason="wrong_credentials", **_facts(device))
        if judgement.failure_count == env.max_login_attempts:
            record_about(EventType.ACCOUNT_LOCKED, identifier, **_facts(device))
        remaining = max(0, env.max_login_attempts - judgement.failure_count)
        raise InvalidCredentials(details={"attemptsRemaining": remaining})
    return Checked(judgement.user, device)


def _judge_alone(request: HttpRequest, identifier: str, password: str, *, name: str) -> _Judgement:
    """Judge one attempt at a time for each counter.

    SECURITY: check and count are apart in django-axes; without the lock a burst of a hundred gets
    some twenty guesses instead of five.
    """
    failure_counter.wait_for_turn(name)
    standing = failure_counter.standing_of(name)
    if standing.is_locked:
        return _Judgement(_Outcome.LOCKED)
    request.lockout_was_judged = True  # type: ignore[attr-defined]  # for LockoutBackend
    request.failure_counter = name  # type: ignore[attr-defined]  # for axes_username
    with _reservation(request, is_known_device=name != identifier) as reservation:
        user = authenticate(request, username=identifier, password=password)
        if user is not None:
            reservation.give_back()
    if not isinstance(user, User):
        return _count_failure(request, name, standing)
    if not standing.is_clean:
        failure_counter.forget([name])
    return _Judgement(_Outcome.RIGHT, user=user)


def _count_failure(request: HttpRequest, name: str, standing: Standing) -> _Judgement:
    """Return what django-axes has just counted; the failure that is one too many locks."""
    failure_counter.count_from_now(name)
    failure_count = request.axes_failures_since_start or 0  # type: ignore[attr-defined]
    if failure_count >= env.max_login_attempts:
        failure_counter.note_lock(name, standing)
    return _Judgement(_Outcome.WRONG, failure_count=failure_count)


def _reservation(
    request: HttpRequest, *, is_known_device: bool
) -> AbstractContextManager[Reservation]:
    """Count in advance against the network address, unless the device is known.

    A known device guesses at one account, five times; a stranger in the same office could keep it
    out through the limit of the network.
    """
    return nullcontext(Reservation(None)) if is_known_device else reserve_failure("login", request)


def account_locked(name: str) -> AccountLocked:
    """Return the refusal under a locked counter, with the seconds until it opens."""
    seconds = int(failure_counter.opens_in(name).total_seconds()) + 1
    return AccountLocked(headers={"Retry-After": str(seconds)})


def unlock_account(email: str) -> bool:
    """Forget the failures on an address and on its owner's devices; return whether there were any.

    For staff, operators and the reset of a password.
    """
    identifier = failure_name(email)
    devices = Device.objects.filter(user__email=identifier).values_list("pk", flat=True)
    had_failures = failure_counter.forget([identifier, *(counter_name(pk) for pk in devices)])
    if had_failures:
        record_about(EventType.ACCOUNT_UNLOCKED, identifier)
    return had_failures


def unlock_counter(name: str) -> bool:
    """Unlock the account whose counter has this name, on an address or on a known device."""
    device_id = device_of_counter(name)
    if device_id is None:
        return unlock_account(name)
    email = Device.objects.filter(pk=device_id).values_list("user__email", flat=True).first()
    return unlock_account(email) if email else failure_counter.forget([name])


def _facts(device: Device | None) -> dict[str, str]:
    return {} if device is None else {"device_id": str(device.pk)}


def record_failure(identifier: str, *, reason: str, **metadata: Any) -> None:
    """Record that a sign-in with this address failed."""
    record_about(EventType.SIGN_IN_FAILED, identifier, reason=reason, **metadata)


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
