"""The limits of ordinary calls: strangers by address, callers who proved who they are by name."""

from django.http import HttpRequest
from rest_framework.request import Request

from security.rate_limits.identity import (
    address_value,
    caller_value,
    http_request_of,
    session_value,
)
from security.rate_limits.refusals import record_refusal
from security.rate_limits.settled import settled_counter
from security.rate_limits.table import ANONYMOUS_LIMIT, API_LIMIT, LIMITS, Counted
from security.rate_limits.verdict import verdicts_of
from security.request.actors import Actor, AnonymousActor


def check_general(
    request: HttpRequest | Request,
    actor: Actor | AnonymousActor,
    *,
    anonymous_limit: str | None = ANONYMOUS_LIMIT,
    caller_limit: str = API_LIMIT,
) -> None:
    """Count a call, once however often this is asked; raises the limit's error above the limit.

    An authenticated caller counts by user or key, so that strangers behind the same address cannot
    use up his calls; a user under `caller_limit`. Anybody else counts by address under
    `anonymous_limit`; None counts nothing.
    """
    if isinstance(actor, Actor):
        limit = LIMITS[caller_limit if actor.is_user else API_LIMIT]
        value = session_value(actor) if limit.counted is Counted.SESSION else caller_value(actor)
    elif anonymous_limit is None:
        return
    else:
        limit, value = LIMITS[anonymous_limit], address_value(http_request_of(request))
    rate = limit.rate
    verdicts = verdicts_of(http_request_of(request))
    if rate is None or limit.name in verdicts:
        return
    verdict = verdicts[limit.name] = settled_counter.count(limit, value, rate)
    if not verdict.allowed:
        record_refusal(verdict, value, rate)
        raise verdict.refusal()
