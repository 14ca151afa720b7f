"""Charts of the security report as plain shapes, which a template writes as SVG.

Shapes have a class each and no style, as the content security policy wants; the sheet
`staff/security.css` colours them in the theme of the admin. Texts stay outside of the drawing,
which is stretched to whatever room there is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from security.report.shape import Bucket, Report
from security.report.text import LABELS, length_of, shown

# The drawing's own units: a stretch is so wide, of which the bar takes a part; the chart so high.
STRETCH_WIDTH = 10
BAR_WIDTH = 8
HEIGHT = 100
# One event among thousands is still to be seen.
LEAST_HEIGHT = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `kind` is its class."""

    x: int
    y: float
    width: int
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Column:
    """The bars of one stretch, and what they say when they are pointed at."""

    title: str
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with what a reader who does not see it is told."""

    name: str
    title: str
    description: str
    width: int
    height: int
    columns: list[Column]
    most: int
    ticks: list[str]


def stacked_chart(report: Report, name: str, title: str, kinds: Sequence[str]) -> Chart:
    """Return a chart of some kinds of events over the period, one upon the other."""
    sums = [sum(bucket.counts.get(kind, 0) for kind in kinds) for bucket in report.buckets]
    most = max(sums, default=0)
    columns = [
        Column(_told(bucket, kinds), list(_bars(number, bucket, kinds, most)))
        for number, bucket in enumerate(report.buckets)
        if sums[number]
    ]
    return Chart(
        name=name,
        title=title,
        description=_description(report, kinds, sums),
        width=max(1, len(report.buckets)) * STRETCH_WIDTH,
        height=HEIGHT,
        columns=columns,
        most=most,
        ticks=_ticks(report),
    )


def _bars(number: int, bucket: Bucket, kinds: Sequence[str], most: int) -> Iterator[Bar]:
    top = float(HEIGHT)
    for kind in kinds:
        count = bucket.counts.get(kind, 0)
        if count:
            height = min(top, max(LEAST_HEIGHT, round(HEIGHT * count / most, 1)))
            top = round(top - height, 1)
            yield Bar(number * STRETCH_WIDTH, top, BAR_WIDTH, height, kind.replace("_", "-"))


def _told(bucket: Bucket, kinds: Sequence[str]) -> str:
    counts = (f"{LABELS[kind]}: {bucket.counts.get(kind, 0):,}" for kind in kinds)
    return f"{shown(bucket.begin)} UTC. {', '.join(counts)}"


def _description(report: Report, kinds: Sequence[str], sums: Sequence[int]) -> str:
    totals = ", ".join(f"{LABELS[kind].lower()}: {report.totals[kind]:,}" for kind in kinds)
    if not any(sums):
        return f"None in {length_of(report.period)}."
    busiest = report.buckets[max(range(len(sums)), key=lambda number: sums[number])]
    return f"In {length_of(report.period)}, {totals}. Most at {shown(busiest.begin)} UTC."


def _ticks(report: Report) -> list[str]:
    """Return what to write below the begin, the middle and the end."""
    period = report.period
    length: timedelta = period.until - period.since
    moments: list[datetime] = [period.since, period.since + length / 2, period.until]
    return [f"{moment.day} {moment:%b %H:%M}" for moment in moments]
