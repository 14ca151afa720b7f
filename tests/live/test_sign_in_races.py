"""Sign-ins that arrive together: five guesses are judged, right ones all succeed."""

from collections import Counter

import pytest

from tests.live.calls import Call, Credentials, login, login_on, me, send
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
    assert_judged_five_times([(ports[n % len(ports)], call) for n, call in enumerate(calls)])


def assert_judged_five_times(calls: list[tuple[int, Call]]) -> None:
    answers = send(calls)
    counted = Counter((answer.status, answer.code) for answer in answers)
    assert counted == {(401, "INVALID_CREDENTIALS"): 5, (423, "ACCOUNT_LOCKED"): len(calls) - 5}
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


def test_a_known_device_has_five_guesses_of_its_own_however_many_come_at_once(
    server: LiveServer,
) -> None:
    person = server.person("admin", "Harbor Realty")
    known = server.answer(login(person)).device
    other = server.answer(login(person)).device
    wrong = [Credentials(person.email, f"wrong-{number}") for number in range(50)]
    assert_judged_five_times([(server.port, login_on(known, guess)) for guess in wrong])
    assert server.answer(login_on(known, person)).status == 423
    answers = send([(server.port, login_on(other, person))] * 16)
    assert [(answer.status, answer.device) for answer in answers] == [(200, other)] * 16
