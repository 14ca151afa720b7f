"""What a limit said about a call, kept on the request for the headers of the answer."""

import time
from typing import Any, NamedTuple

from crm.api.errors import ApiError
from security.rate_limits.table import NamedLimit


class Verdict(NamedTuple):
    """One limit's word on one call. `reset_at` is in Unix seconds."""

    limit: NamedLimit
    allowed: bool
    quota: int
    remaining: int
    reset_at: int

    def headers(self) -> dict[str, str]:
        """Return the RateLimit-* headers, and Retry-After when the call was refused."""
        reset = max(0, self.reset_at - int(time.time()))
        headers = {
            "RateLimit-Limit": str(self.quota),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(reset),
        }
        if not self.allowed:
            # The window's last second is part of it.
            headers["Retry-After"] = str(reset + 1)
        return headers

    def refusal(self) -> ApiError:
        """Return the error that a refused caller hears."""
        return self.limit.error(headers=self.headers())


def verdicts_of(http_request: Any) -> dict[str, Verdict]:
    """Return the verdicts so far by the name of the limit; changes to the dict are kept."""
    verdicts: dict[str, Verdict] | None = getattr(http_request, "rate_limits", None)
    if verdicts is None:
        verdicts = http_request.rate_limits = {}
    return verdicts


def tightest(verdicts: dict[str, Verdict]) -> Verdict:
    """Return the verdict that matters most to the caller: the refusal, or what is nearest to it."""
    return min(verdicts.values(), key=lambda verdict: (verdict.allowed, verdict.remaining))
