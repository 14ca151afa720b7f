"""Recording events: collected with the request, written when its transaction has ended.

An event of a refused or failed request stays, whatever was rolled back. Without a request, as in
a command, an event is written at once.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Final

from django.db import Error as DatabaseFailure
from django.db import connection, transaction
from django.utils import timezone
from uuid_utils import uuid7

from crm.api import json
from crm.env import env
from crm.jobs.running import current_job_id
from security.events.cleaning import clean_metadata, clean_text
from security.events.types import SPECS, EventType, Severity
from security.request.actors import Actor, ActorKind
from security.request.context import ContextRequest

logger = logging.getLogger(__name__)

_request: ContextVar[ContextRequest | None] = ContextVar("request", default=None)

# The labels of people and teams are those of the moment.
_WRITE = """
    INSERT INTO security_event
           (id, created_at, event_type, category, severity, success, team_id, team_name, user_id,
            user_email, actor_kind, actor_id, actor_label, ip_address, user_agent, request_method,
            request_path, request_id, message, metadata)
    SELECT e.id, e.created_at, e.event_type, e.category, e.severity, e.success,
           e.team_id, coalesce((SELECT name FROM accounts_team WHERE id = e.team_id), ''),
           e.user_id, coalesce((SELECT email FROM accounts_user WHERE id = e.user_id), ''),
           e.actor_kind, e.actor_id, e.actor_label, e.ip_address, e.user_agent, e.request_method,
           e.request_path, e.request_id, e.message, e.metadata
      FROM jsonb_populate_recordset(NULL::security_event, %s::jsonb) e
"""
# The same without waiting for the disk, which is most of what an event costs: a crash of the
# database may take the last of these along. Only outside any other transaction.
_WRITE_SOON = f"{_WRITE} WHERE set_config('synchronous_commit', 'off', true) = 'off'"
_CAN_WAIT = {Severity.LOW, Severity.MEDIUM}
# What stands for the id of the caller, or of the caller's team.
CALLERS: Final = object()


@contextmanager
def collecting(request: ContextRequest) -> Iterator[None]:
    """Collect the events of the block with the request, and write them behind it."""
    request.security_events = []
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)
        if request.security_events:
            _write_after(request.security_events)


def record_event(
    event_type: EventType,
    *,
    user_id: object = CALLERS,
    team_id: object = CALLERS,
    **metadata: Any,
) -> None:
    """Record that something happened.

    `user_id` and `team_id` say whom it is about, None for nobody known; left out, the caller and
    the caller's team. `metadata` are short facts.

    SECURITY: never put a password, a token or the secret of a key into them.
    """
    if not _is_wanted(event_type):
        return
    request = _request.get()
    spec = SPECS[event_type]
    caller = getattr(request, "user", None)
    event = {
        "id": str(uuid7()),
        "created_at": timezone.now().isoformat(),
        "event_type": event_type.value,
        "category": spec.category.value,
        "severity": spec.severity.value,
        "success": spec.success,
        "team_id": _text(_own_team_id(caller) if team_id is CALLERS else team_id),
        "user_id": _text(_own_id(caller) if user_id is CALLERS else user_id),
        **_who(caller, has_request=request is not None),
        **_where(request),
        "message": spec.message,
        "metadata": clean_metadata(metadata),
    }
    if request is None:
        # Inside a command's transaction this is a savepoint: a failure is the event's alone.
        _write(_WRITE, [event], block=transaction.atomic())
    else:
        request.security_events.append(event)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Forget the events of a block whose work is taken back: nothing happened.

    Without a request they are written at once, and taken back with the rest.
    """
    request = _request.get()
    before = 0 if request is None else len(request.security_events)
    try:
        yield
    finally:
        if request is not None:
            del request.security_events[before:]


def is_in_request() -> bool:
    """Tell whether events are collected with a request."""
    return _request.get() is not None


def _is_wanted(event_type: EventType) -> bool:
    if event_type is EventType.SIGN_IN_SUCCEEDED and not env.log_successful_logins:
        return False
    if event_type is EventType.TOKEN_REFRESHED and not env.log_token_refresh:
        return False
    return env.enable_security_event_logging


def _who(caller: Any, *, has_request: bool) -> dict[str, str]:
    """Return who acts: an API caller, staff in the admin, a stranger; else a command or job."""
    if isinstance(caller, Actor):
        kind, actor_id, label = caller.kind.value, str(caller.id), caller.label
    elif getattr(caller, "pk", None) is not None:
        kind, actor_id, label = ActorKind.STAFF.value, str(caller.pk), caller.email
    elif has_request:
        kind, actor_id, label = "anonymous", "", ""
    else:
        kind = ActorKind.COMMAND if current_job_id() is None else ActorKind.JOB
        return {"actor_kind": kind.value, "actor_id": "", "actor_label": kind.value}
    return {"actor_kind": kind, "actor_id": actor_id, "actor_label": clean_text(label, 254)}


def _own_id(caller: Any) -> object:
    return caller.user_id if isinstance(caller, Actor) else getattr(caller, "pk", None)


def _own_team_id(caller: Any) -> object:
    return caller.team_id if isinstance(caller, Actor) else None


def _where(request: ContextRequest | None) -> dict[str, Any]:
    if request is None:
        names = ("user_agent", "request_method", "request_path", "request_id")
        return {"ip_address": None, **dict.fromkeys(names, "")}
    return {
        "ip_address": request.client_ip,
        "user_agent": clean_text(request.headers.get("User-Agent", ""), 400),
        "request_method": clean_text(request.method, 10),
        # SECURITY: without the query string, which may hold anything.
        "request_path": clean_text(request.path, 400),
        "request_id": request.request_id,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _write_after(events: list[dict[str, Any]]) -> None:
    """Write what a request collected; what is grave waits for the disk."""
    can_wait = all(event["severity"] in _CAN_WAIT for event in events)
    _write(_WRITE_SOON if can_wait else _WRITE, events)


def _write(
    statement: str,
    events: list[dict[str, Any]],
    *,
    block: AbstractContextManager[Any] | None = None,
) -> None:
    """Write events in one statement. A database that fails is logged and changes no answer."""
    try:
        with block or nullcontext(), connection.cursor() as cursor:
            cursor.execute(statement, [json.dumps(events).decode()])
    except DatabaseFailure:
        names = ", ".join(event["event_type"] for event in events)
        logger.exception("Security events not written: %s", names)
