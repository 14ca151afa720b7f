"""Sign-ins that arrive together: five guesses are judged, right ones all succeed."""

from collections import Counter

import pytest

from tests.live.calls import Call, Credentials, login, me, send
from tests.live.server import LiveServer

pytestmark = pytest.mark.live
SUMMIT = "Summit Homes"
FULL_WIDTH = 0xFEE0  # Added to an ASCII character, gives its full-width form.


def full_width(email: str) -> str:
    name, _, domain = email.partition("@")
    return "".join(chr(ord(letter) + FULL_WIDTH) for letter in name) + f"@{domain}"


def spelled_alike(email: str) -> list[str]:
    return [email, f" {email.title()} ", email.upper(), full_width(email)]


def guess(emails: list[str]) -> list[Call]:
    """Return a hundred wrong sign-ins on the addresses in turn."""
    return [login(Credentials(emails[n % len(emails)], f"wrong-{n}")) for n in range(100)]


def assert_five_were_judged(ports: list[int], calls: list[Call]) -> None:
    answers = send([(ports[n % len(ports)], call) for n, call in enumerate(calls)])
    counted = Counter((answer.status, answer.code) for answer in answers)
    assert counted == {(401, "INVALID_CREDENTIALS"): 5, (423, "ACCOUNT_LOCKED"): 95}
    judged = [answer for answer in answers if answer.status == 401]
    remaining = {answer.body["error"]["details"]["attemptsRemaining"] for answer in judged}
    assert remaining == {0, 1, 2, 3, 4}
    assert all(answer.retry_after for answer in answers if answer.status == 423)


def test_a_hundred_guesses_at_once_are_judged_five_times(server: LiveServer) -> None:
    person = server.person("manager", SUMMIT)
    assert_five_were_judged([server.port], guess([person.email]))
    assert server.answer(login(person)).status == 423


def test_other_spellings_do_not_add_guesses(server: LiveServer) -> None:
    person = server.person("agent", SUMMIT)
    assert_five_were_judged([server.port], guess(spelled_alike(person.email)))


def test_guesses_on_an_address_that_nobody_has_are_answered_alike(server: LiveServer) -> None:
    assert_five_were_judged([server.port], guess(spelled_alike("nobody@summit.example")))


def test_guesses_on_two_processes_are_judged_five_times(
    server: LiveServer, second_server: LiveServer
) -> None:
    person = server.person("data_entry", SUMMIT)
    ports = [server.port, second_server.port]
    assert_five_were_judged(ports, guess(spelled_alike(person.email)))
    assert second_server.answer(login(person)).status == 423


def test_sixteen_right_sign_ins_at_once_all_succeed(server: LiveServer) -> None:
    answers = send([(server.port, login(server.person("admin", SUMMIT)))] * 16)
    assert [answer.status for answer in answers] == [200] * 16
    assert len({answer.cookie for answer in answers}) == 16
    checks = send([(server.port, me(answer.data["accessToken"])) for answer in answers])
    assert [check.status for check in checks] == [200] * 16
