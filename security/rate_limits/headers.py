"""The RateLimit-* headers of an answer."""

from django.http import HttpRequest, HttpResponseBase

from security.rate_limits.verdict import tightest, verdicts_of


def add_rate_limit_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Tell the caller of a limited call what is left; an unlimited one gets no header."""
    verdicts = verdicts_of(request)
    if verdicts:
        for name, value in tightest(verdicts).headers().items():
            response.headers[name] = value
