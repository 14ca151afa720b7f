"""The time of an answer does not tell whether an address exists (ASVS v5.0.0-6.3.8)."""

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import pytest
from django.contrib.auth.hashers import make_password

from tests.live.calls import Answer, Call, Credentials, login
from tests.live.server import LiveServer

# The server hashes in earnest: the accounts' hashes have to cost the same.
pytestmark = [pytest.mark.live, pytest.mark.usefixtures("real_hashes")]
ROUNDS = 30
# What costs no hash takes milliseconds, which vary more.
MANY_ROUNDS = 150
TOLERANCE = 0.20
KINDS = ("known", "inactive", "unverified", "passwordless", "unknown")
_INSERT = """
    INSERT INTO accounts_user (id, email, password, is_active, is_staff, is_superuser,
                               first_name, last_name, date_joined, email_verified_at)
    SELECT gen_random_uuid(), %s || number || '@timing.example', %s, %s, false, false, '', '',
           now(), CASE WHEN %s THEN now() END
      FROM generate_series(1, %s) AS number
    ON CONFLICT DO NOTHING
"""


def _naming_an_address(path: str) -> Callable[[str], Call]:
    return lambda email: Call("POST", f"/v1/auth/{path}", {"email": email})


def _registering(email: str) -> Call:
    names = {"firstName": "Nora", "lastName": "Nilsson", "teamName": "Nilsson Homes"}
    body = {"email": email, "password": "Walnut-Lantern-Kettle-5", **names}
    return Call("POST", "/v1/auth/register", body)


CALLS: Mapping[str, tuple[int, int, Callable[[str], Call]]] = {
    "sign in": (401, ROUNDS, lambda email: login(Credentials(email, "Not-Her-Password-1"))),
    "forget": (200, MANY_ROUNDS, _naming_an_address("password/forgot")),
    "resend": (200, MANY_ROUNDS, _naming_an_address("resend-verification")),
    # The unknown addresses have an account behind it.
    "register": (201, ROUNDS, _registering),
}


def make_accounts(server: LiveServer) -> None:
    """Make accounts of their own for every round, so that none is ever locked."""
    hashed, unusable = make_password("Correct-Horse-Battery-9"), make_password(None)
    server.sql(_INSERT, "known", hashed, True, True, MANY_ROUNDS)
    server.sql(_INSERT, "inactive", hashed, False, True, MANY_ROUNDS)
    server.sql(_INSERT, "unverified", hashed, True, False, MANY_ROUNDS)
    server.sql(_INSERT, "passwordless", unusable, True, True, MANY_ROUNDS)


def seconds_to_answer(server: LiveServer, call: Call) -> tuple[float, Answer]:
    began = time.perf_counter()
    answer = server.answer(call)
    return time.perf_counter() - began, answer


def middle_times(server: LiveServer, name: str, kinds: Sequence[str]) -> dict[str, float]:
    """Return the usual time of each kind of address, measured in turns of any order."""
    status, rounds, call_of = CALLS[name]
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(1, rounds + 1):
        for kind in random.sample(kinds, len(kinds)):
            call = call_of(f"{kind}{number}@timing.example")
            seconds, answer = seconds_to_answer(server, call)
            assert answer.status == status
            times[kind].append(seconds)
    return {kind: middle_of(values) for kind, values in times.items()}


def middle_of(values: list[float]) -> float:
    """Return the mean of the middle half: a median that does not jump between two humps."""
    quarter = len(values) // 4
    return statistics.mean(sorted(values)[quarter : len(values) - quarter])


@pytest.mark.parametrize("name", CALLS)
def test_an_answer_takes_the_same_time_for_every_kind_of_address(
    server: LiveServer, name: str
) -> None:
    make_accounts(server)
    # Registering costs much, and asks nothing of an account but whether it is there.
    kinds = ("known", "inactive", "unknown") if name == "register" else KINDS
    measured = middle_times(server, name, kinds)
    known = measured["known"]
    assert all(abs(other - known) <= TOLERANCE * known for other in measured.values()), measured
