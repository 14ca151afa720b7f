"""The time of a refused sign-in does not tell whether the address exists."""

import statistics
import time

import pytest
from django.contrib.auth.hashers import make_password

from tests.live.calls import Credentials, login
from tests.live.server import LiveServer

pytestmark = pytest.mark.live
ROUNDS = 30
TOLERANCE = 0.20
KINDS = ("known", "inactive", "passwordless", "unknown")
_INSERT = """
    INSERT INTO accounts_user (id, email, password, is_active, is_staff, is_superuser,
                               first_name, last_name, date_joined)
    SELECT gen_random_uuid(), %s || number || '@timing.example', %s, %s, false, false, '', '', now()
      FROM generate_series(1, %s) AS number
"""


def make_accounts(server: LiveServer) -> None:
    """Make accounts of their own for every round, so that none is ever locked."""
    hashed, unusable = make_password("Correct-Horse-Battery-9"), make_password(None)
    server.sql(_INSERT, "known", hashed, True, ROUNDS)
    server.sql(_INSERT, "inactive", hashed, False, ROUNDS)
    server.sql(_INSERT, "passwordless", unusable, True, ROUNDS)


def seconds_to_refuse(server: LiveServer, email: str) -> float:
    call = login(Credentials(email, "Not-Her-Password-1"))
    began = time.perf_counter()
    answer = server.answer(call)
    assert answer.status == 401
    return time.perf_counter() - began


def medians(server: LiveServer) -> dict[str, float]:
    """Return the median time of each kind of address, measured in turns."""
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(1, ROUNDS + 1):
        for kind in KINDS:
            times[kind].append(seconds_to_refuse(server, f"{kind}{number}@timing.example"))
    return {kind: statistics.median(values) for kind, values in times.items()}


def test_refusals_take_the_same_time_for_every_kind_of_address(server: LiveServer) -> None:
    make_accounts(server)
    measured = medians(server)
    known = measured["known"]
    assert all(abs(other - known) <= TOLERANCE * known for other in measured.values()), measured
