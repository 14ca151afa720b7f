"""Limits on failures, exact across threads and processes: reserve first, judge, give back.

Calls that are counted whatever becomes of them are failures that nobody gives back.

Counting after the judgement would let a burst be judged as a whole before the first failure is
counted. Here every attempt is a failure until it proves right.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest
from django_ratelimit.core import get_usage
from rest_framework.request import Request

from crm.api.errors import ServiceUnavailable
from crm.env.rate import Rate
from security.rate_limits.identity import address_value, http_request_of
from security.rate_limits.refusals import record_refusal
from security.rate_limits.store import STORE_ERRORS, counter_store, outage
from security.rate_limits.table import LIMITS, NamedLimit
from security.rate_limits.verdict import Verdict, verdicts_of
from security.rate_limits.windows import counter_key, window_end

logger = logging.getLogger(__name__)


class _Failure:
    """One failure, counted in advance."""

    def __init__(self, limit: NamedLimit, value: str, rate: Rate, http_request: Any) -> None:
        self._limit = limit
        self._value = value
        self._rate = rate
        self._http_request = http_request
        self._end: int | None = None

    def count(self) -> None:
        """Count it; raises the limit's error, or `ServiceUnavailable`."""
        end = window_end(self._value, self._rate)
        usage = self._usage()
        # The window may turn while the count is on its way: then it is unknown which one holds
        # the failure, and it is not taken off again.
        self._end = end if end == window_end(self._value, self._rate) else None
        remaining = self._rate.count - usage["count"]
        verdict = Verdict(self._limit, remaining >= 0, self._rate.count, max(0, remaining), end)
        self._note(verdict)
        if not verdict.allowed:
            # Refused before it was judged: no failure.
            self.take_off()
            record_refusal(verdict, self._value, self._rate)
            raise verdict.refusal()

    def take_off(self) -> None:
        """Take it off the count again, within the same window."""
        end = self._end
        if end is None or end != window_end(self._value, self._rate):
            return
        try:
            counter_store().decr(counter_key(self._limit, self._value, self._rate, end))
        except (*STORE_ERRORS, ValueError) as error:
            # ValueError: the store lost the counter. What was right stays right.
            logger.warning("%s: a failure stays counted: %s", self._limit.name, error)
            return
        verdict = verdicts_of(self._http_request)[self._limit.name]
        if verdict.allowed:
            self._note(verdict._replace(remaining=verdict.remaining + 1))

    def _usage(self) -> dict[str, int]:
        try:
            usage: dict[str, int] | None = get_usage(
                self._http_request,
                group=self._limit.name,
                key=lambda _group, _request: self._value,
                rate=lambda _group, _request: (self._rate.count, self._rate.seconds),
                increment=True,
            )
        except STORE_ERRORS as error:
            outage.begin(error)
            logger.warning("%s refused: failures cannot be counted", self._limit.name)
            raise ServiceUnavailable from error
        # SECURITY: django-ratelimit answers None when it is switched off, and a limit of 0 when
        # the store lost the counter in mid-count. Neither is a licence to guess.
        if usage is None or usage["limit"] == 0:
            logger.warning("%s refused: the failures were not counted", self._limit.name)
            raise ServiceUnavailable
        outage.end()
        return usage

    def _note(self, verdict: Verdict) -> None:
        verdicts_of(self._http_request)[self._limit.name] = verdict


class Reservation:
    """The hold of an attempt on its failure."""

    def __init__(self, failure: _Failure | None) -> None:
        self._failure = failure

    def give_back(self) -> None:
        """Say that the attempt proved right: it no longer counts as a failure."""
        failure, self._failure = self._failure, None
        if failure is not None:
            failure.take_off()


def count_call(name: str, request: HttpRequest | Request, *, value: str | None = None) -> None:
    """Count a call of the named limit, by address or by the value, and keep it counted.

    Raises the limit's error when there were too many, and `ServiceUnavailable` when calls cannot
    be counted. The count is outside every transaction.
    """
    limit = LIMITS[name]
    rate = limit.rate
    if rate is not None:
        http_request = http_request_of(request)
        _Failure(limit, value or address_value(http_request), rate, http_request).count()


@contextmanager
def reserve_failure(name: str, request: HttpRequest | Request) -> Iterator[Reservation]:
    """Count a failure of the named limit before an attempt is judged.

    The attempt calls `give_back()` when it proves right; whatever else happens inside, an exception
    included, stays a failure. Raises the limit's error when there were too many, and
    `ServiceUnavailable` when failures cannot be counted. The count is outside every transaction.
    """
    limit = LIMITS[name]
    rate = limit.rate
    if rate is None:
        yield Reservation(None)
        return
    http_request = http_request_of(request)
    failure = _Failure(limit, address_value(http_request), rate, http_request)
    failure.count()
    yield Reservation(failure)
