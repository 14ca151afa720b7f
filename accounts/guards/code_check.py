"""Judging a code: the one guard behind every form and endpoint that asks for one."""

import hashlib
import logging
import math
import uuid
from datetime import timedelta
from enum import Enum
from typing import NamedTuple

import django_otp
from django.db import connection, transaction
from django.utils import timezone

from accounts.factors.backup_codes import hashes_of, is_backup_code
from accounts.factors.state import BACKUP_CODE, TOTP
from accounts.factors.totp import is_totp_code
from accounts.guards.wrong_codes import count_wrong_code, wait_before_next
from accounts.mails import BACKUP_CODE_USED
from accounts.models import BackupCode, TotpDevice, User
from crm.api.errors import AuthRateLimited, InvalidCredentials, InvalidToken
from security.encryption import Undecryptable
from security.events.collector import record_event
from security.events.types import EventType

logger = logging.getLogger(__name__)

WRONG_CODE = "Wrong code."
PENDING_NOT_VALID = "The pending sign-in is not valid; sign in again."


class _Outcome(Enum):
    RIGHT = "right"
    WRONG = "wrong_code"
    USED = "used_code"
    USED_PENDING = "used_token"
    LIMITED = "too_many"


class _Judgement(NamedTuple):
    outcome: _Outcome
    wait: timedelta = timedelta(0)


def is_code(text: str) -> bool:
    """Tell whether a text has the form of a code; nothing else is judged, or counted."""
    return is_totp_code(text) or is_backup_code(text)


def check_code(
    *,
    user: User,
    code: str,
    team_id: uuid.UUID | None,
    source: uuid.UUID | None = None,
    pending: uuid.UUID | None = None,
) -> str:
    """Use up a code of the user and return by which method it proved them.

    `source` is what `device_with_own_count` returns; `pending` the session of a pending sign-in,
    which uses up one backup code at most. Raises `InvalidCredentials` for a wrong code and for one
    that was used before, `AuthRateLimited` after too many wrong ones, also for a right one, and
    `InvalidToken` for a pending sign-in that has used its backup code.
    """
    # The transaction commits what was used or counted; the exception comes after it.
    with transaction.atomic(durable=True):
        judgement = _judge_alone(user, code, source, pending)
    method = TOTP if is_totp_code(code) else BACKUP_CODE
    if judgement.outcome is _Outcome.RIGHT:
        if method == BACKUP_CODE:
            record_event(EventType.BACKUP_CODE_USED, user_id=user.pk, team_id=team_id)
        return method
    record_event(
        EventType.MFA_FAILED,
        user_id=user.pk,
        team_id=team_id,
        reason=judgement.outcome.value,
        method=method,
    )
    if judgement.outcome is _Outcome.LIMITED:
        seconds = math.ceil(judgement.wait.total_seconds())
        raise AuthRateLimited(headers={"Retry-After": str(max(1, seconds))})
    if judgement.outcome is _Outcome.USED_PENDING:
        raise InvalidToken(PENDING_NOT_VALID)
    raise InvalidCredentials(WRONG_CODE)


def _judge_alone(
    user: User, code: str, source: uuid.UUID | None, pending: uuid.UUID | None
) -> _Judgement:
    """Judge one code at a time for each account.

    SECURITY: without the lock, guesses that arrive together would all be judged before the first
    of them is counted.
    """
    _lock_account(user.pk)
    wait = wait_before_next(user=user, source=source)
    if wait:
        return _Judgement(_Outcome.LIMITED, wait)
    if is_totp_code(code):
        outcome = _judge_totp(user, code)
    else:
        outcome = _judge_backup_code(user, code, pending)
    # A code that was right a moment ago tells a guesser nothing: two clicks shut nobody out.
    if outcome is _Outcome.WRONG:
        count_wrong_code(user_id=user.pk, source=source)
    return _Judgement(outcome)


def _lock_account(user_id: uuid.UUID) -> None:
    """Wait until no other transaction judges codes of this account; ends with the transaction."""
    digest = hashlib.sha256(f"code:{user_id}".encode()).digest()
    with connection.cursor() as cursor:
        number = int.from_bytes(digest[:8], "big", signed=True)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _judge_totp(user: User, code: str) -> _Outcome:
    device = TotpDevice.objects.filter(user=user, confirmed=True).first()
    if device is None:
        return _Outcome.WRONG
    try:
        if django_otp.verify_token(user, device.persistent_id, code) is not None:
            return _Outcome.RIGHT
        return _Outcome.USED if device.was_used(code) else _Outcome.WRONG
    except Undecryptable:
        # Nobody gets in, and backup codes may help out. An operator has to put the key back.
        logger.exception("The seed of user %s cannot be read", user.pk)
        return _Outcome.WRONG


def _judge_backup_code(user: User, code: str, pending: uuid.UUID | None) -> _Outcome:
    # A pending sign-in opens one session: sent with ten codes at once, it wastes none.
    if pending and BackupCode.objects.filter(user=user, used_for=pending).exists():
        return _Outcome.USED_PENDING
    mine = BackupCode.objects.filter(user=user, code_hash__in=hashes_of(code, user_id=user.pk))
    # One statement decides, whatever is sent at once.
    if mine.filter(used_at=None).update(used_at=timezone.now(), used_for=pending):
        left = BackupCode.objects.filter(user=user, used_at=None).count()
        context = {"first_name": user.first_name, "codes_left": left}
        BACKUP_CODE_USED.queue(to=user.email, context=context)
        return _Outcome.RIGHT
    return _Outcome.USED if mine.exists() else _Outcome.WRONG
