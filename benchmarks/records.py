"""`make bench-records`: the pages of events and of the audit trail, on a million of each.

Takes some minutes and a gigabyte of disk; let nothing else run meanwhile.
"""

import importlib
import logging
from typing import Any

from benchmarks.run import own_database, save

ROUNDS = 40
MOST_MILLISECONDS = 100


def main() -> None:
    """Measure on a database made for this run."""
    with own_database():
        measure = importlib.import_module("benchmarks.records_measure")
        logging.getLogger("security.access.all_teams").setLevel(logging.WARNING)
        report = measure.run(rounds=ROUNDS)
    show(report)
    save(report, suffix="-records")


def show(report: dict[str, Any]) -> None:
    """Print the tables; a page that takes too long is marked."""
    print(f"{'page':<76}{'p50 ms':>9}{'p95 ms':>9}")
    for row in report["pages"]:
        mark = "  too slow" if row["p95_ms"] >= MOST_MILLISECONDS else ""
        print(f"{row['name']:<76}{row['p50_ms']:>9.1f}{row['p95_ms']:>9.1f}{mark}")
    print(f"\n{'work':<58}{'entries':>9}{'seconds':>9}{'a second':>10}")
    for row in report["work"]:
        rate = row["entries"] / row["seconds"] if row["seconds"] else 0
        print(f"{row['name']:<58}{row['entries']:>9}{row['seconds']:>9.2f}{rate:>10.0f}")
    print(f"\n{'call, audit trigger on and off':<34}{'on ms':>9}{'off ms':>9}{'ratio':>8}")
    for row in report["audit"]:
        print(f"{row['name']:<34}{row['on_ms']:>9.2f}{row['off_ms']:>9.2f}{row['ratio']:>8.3f}")


if __name__ == "__main__":
    main()
