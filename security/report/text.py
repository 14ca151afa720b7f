"""The security report for a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime

from security.report.shape import ChainState, Period, Report

LABELS = {
    "sign_ins": "Sign-ins",
    "failures": "Failed sign-ins",
    "locks": "Accounts locked",
    "blocks": "Addresses blocked",
    "thefts": "Stolen tokens",
    "honeypots": "Honeypot hits",
    "suspicions": "Suspicious activity",
    "refusals": "Refusals",
}
_WIDEST_BAR = 40


def report_lines(report: Report) -> Iterator[str]:
    """Yield the lines of the report, in sections."""
    period = report.period
    yield f"Security, {shown(period.since)} to {shown(period.until)} UTC ({length_of(period)})"
    if not report.is_complete:
        yield f"Too many events: counted since {shown(report.counted_since)}."
    yield ""
    for kind, label in LABELS.items():
        yield f"  {label:<24}{report.totals[kind]:>10}"
    yield f"  {'Blocks in force':<24}{report.active_blocks:>10}"
    yield f"  {'Keys that end soon':<24}{report.ending_keys:>10}"
    stretch = stretch_of(period)
    yield from _section(f"Sign-ins and failures by {stretch}", _busy_stretches(report))
    yield from _section("Addresses refused most", _addresses(report))
    yield from _section("To look at", _suspicions(report))
    yield from _section("Keys that end within 30 days", _keys(report))
    yield from _section("Audit trail", _chain(report.chain))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield ""
    yield title
    empty = True
    for line in lines:
        empty = False
        yield f"  {line}"
    if empty:
        yield "  none"


def _busy_stretches(report: Report) -> Iterator[str]:
    """Yield the stretches in which somebody signed in or failed to."""
    pairs = [
        (bucket.begin, bucket.counts.get("sign_ins", 0), bucket.counts.get("failures", 0))
        for bucket in report.buckets
    ]
    most = max((signed_in + failed for _, signed_in, failed in pairs), default=0)
    for begin, signed_in, failed in pairs:
        if signed_in or failed:
            bar = _bar(signed_in, most, "=") + _bar(failed, most, "!")
            yield f"{shown(begin)} {signed_in:>8} {failed:>8}  {bar}"


def _bar(count: int, most: int, letter: str) -> str:
    return letter * -(-count * _WIDEST_BAR // most)


def _addresses(report: Report) -> Iterator[str]:
    for address in report.top_addresses:
        last = shown(address.last_at)
        yield f"{address.ip_address:<40}{address.refusals:>8}  last {last}"


def _suspicions(report: Report) -> Iterator[str]:
    for one in report.suspicions:
        who = ", ".join(filter(None, (one.user_email, one.team_name, one.ip_address)))
        yield f"{shown(one.created_at)}  {one.severity:<9}{one.event_type:<22}{who}: {one.message}"


def _keys(report: Report) -> Iterator[str]:
    for key in report.first_ending_keys:
        yield f"{shown(key.expires_at)}  {key.masked:<26}{key.name}, {key.team}, {key.owner}"


def _chain(chain: ChainState) -> Iterator[str]:
    """Yield how far the trail is sealed, what waits, and what the last verification found."""
    entries = f"{chain.sealed_entries} entries in {chain.chains} chains"
    until = f", up to {shown(chain.sealed_up_to)}" if chain.sealed_up_to else ""
    yield f"Sealed: {entries}{until}"
    more = " or more" if chain.is_more_waiting else ""
    since = f", since {shown(chain.waiting_since)}" if chain.waiting_since else ""
    yield f"Waiting: {chain.waiting_entries}{more}{since}"
    if chain.verified_at is None:
        yield "Verified: never; run verify_audit"
    else:
        found = f"problems: {chain.problems}" if chain.problems else "whole"
        yield f"Verified: {shown(chain.verified_at)}, {chain.verified_entries} entries, {found}"


def length_of(period: Period) -> str:
    """Return how long a period is, in words."""
    return "24 hours" if period.days == 1 else f"{period.days} days"


def stretch_of(period: Period) -> str:
    """Return what a period is divided into, in words."""
    return {1: "hour", 24: "day"}.get(period.bucket_hours, f"{period.bucket_hours} hours")


def shown(moment: datetime) -> str:
    """Return a time to the minute, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
