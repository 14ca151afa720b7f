"""What the audit trail costs: the same calls with its trigger switched on and off."""

from collections.abc import Mapping
from typing import Any

import psycopg

from benchmarks.calls import Call, Measured, timed
from crm.env import env

# Blocks in turns, so that what else the machine does falls on both; short, so that it falls evenly.
BLOCKS = 12
WARM_UP = 10
CALLS_IN_A_BLOCK = 40
_SWITCH = {
    True: "ALTER TABLE clients_client ENABLE TRIGGER audit_trail",
    False: "ALTER TABLE clients_client DISABLE TRIGGER audit_trail",
}


def measure_audit(calls: Mapping[str, Call]) -> list[dict[str, Any]]:
    """Return for each call its median with and without the trigger, and their ratio."""
    seconds: dict[tuple[str, bool], list[float]] = {}
    with psycopg.connect(env.database_owner_url, autocommit=True) as owner:
        for block in range(BLOCKS):
            for is_on in (True, False) if block % 2 else (False, True):
                owner.execute(_SWITCH[is_on])
                for name, (action, status) in calls.items():
                    taken = [
                        timed(action, status=status) for _ in range(WARM_UP + CALLS_IN_A_BLOCK)
                    ]
                    seconds.setdefault((name, is_on), []).extend(taken[WARM_UP:])
        owner.execute(_SWITCH[True])
    return [_compare(name, seconds[name, True], seconds[name, False]) for name in calls]


def _compare(name: str, on: list[float], off: list[float]) -> dict[str, Any]:
    with_audit, without = Measured(on).percentile(0.5), Measured(off).percentile(0.5)
    return {
        "name": name,
        "on_ms": round(with_audit, 3),
        "off_ms": round(without, 3),
        "ratio": round(with_audit / without, 3),
    }
