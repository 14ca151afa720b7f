"""Codes that arrive together work once; guesses that do are judged five times."""

import base64
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django_otp.oath import totp

from tests.live.calls import Answer, Call, Credentials, bearer, login, me, send
from tests.live.server import LiveServer

pytestmark = pytest.mark.live
RACERS = 16
WRONG = (401, "INVALID_CREDENTIALS")
TOO_MANY = (429, "AUTH_RATE_LIMIT")


class Person(NamedTuple):
    """Somebody with an authenticator app."""

    credentials: Credentials
    seed: bytes
    backup_codes: list[str]

    def code(self, steps: int = 0) -> str:
        """Return what the app shows, now or some steps from now."""
        return f"{totp(self.seed, drift=steps):06d}"

    def wrong_code(self) -> str:
        """Return six digits that are right at no present time."""
        right = {self.code(steps) for steps in range(-2, 3)}
        return next(f"{n:06d}" for n in range(10) if f"{n:06d}" not in right)


@pytest.fixture
def person(server: LiveServer) -> Iterator[Person]:
    """A member who has just set up an app, and gives it up at the end."""
    credentials = server.person("manager")
    headers = bearer(server.answer(login(credentials)).data["accessToken"])
    secret = server.call("POST", "/v1/auth/2fa/setup", **headers).data["secret"]
    seed = base64.b32decode(secret)
    body = {"code": f"{totp(seed, drift=-1):06d}"}
    codes = server.call("POST", "/v1/auth/2fa/confirm", body, **headers).data["backupCodes"]
    yield Person(credentials, seed, codes)
    assert server.call("POST", "/v1/auth/2fa/disable", **headers).status == 200
    server.sql("DELETE FROM accounts_wrongcode")


def race(server: LiveServer, calls: list[Call]) -> list[Answer]:
    return send([(server.port, call) for call in calls])


def counted(answers: list[Answer]) -> Counter[tuple[int, str | None]]:
    return Counter((answer.status, answer.code) for answer in answers)


def pending(server: LiveServer, person: Person) -> str:
    token: str = server.answer(login(person.credentials)).data["mfaToken"]
    return token


def second_step(token: str, code: str) -> Call:
    return Call("POST", "/v1/auth/2fa/verify", {"mfaToken": token, "code": code})


def test_a_code_sent_sixteen_times_at_once_signs_in_once(
    server: LiveServer, person: Person
) -> None:
    for code in (person.code(), person.backup_codes[0]):
        answers = race(server, [login(person.credentials, totpCode=code)] * RACERS)
        assert counted(answers) == {(200, None): 1, WRONG: RACERS - 1}


def test_a_code_with_sixteen_pending_sign_ins_finishes_one(
    server: LiveServer, person: Person
) -> None:
    tokens = [pending(server, person) for _ in range(4)] * 4
    for code in (person.code(), person.backup_codes[0]):
        answers = race(server, [second_step(token, code) for token in tokens])
        successes = [answer for answer in answers if answer.status == 200]
        assert len(successes) == 1
        assert server.answer(me(successes[0].data["accessToken"])).status == 200


def test_a_pending_sign_in_with_ten_codes_at_once_opens_one_session(
    server: LiveServer, person: Person
) -> None:
    token = pending(server, person)
    answers = race(server, [second_step(token, code) for code in person.backup_codes])
    assert counted(answers) == {(200, None): 1, (401, "INVALID_TOKEN"): 9}


def test_sixteen_guesses_at_once_are_judged_five_times(server: LiveServer, person: Person) -> None:
    guess = second_step(pending(server, person), person.wrong_code())
    assert counted(race(server, [guess] * RACERS)) == {WRONG: 5, TOO_MANY: RACERS - 5}
