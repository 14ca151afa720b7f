"""Refreshes that arrive together: one successor, nobody signed out, and theft is still theft."""

import pytest

from tests.live.calls import Answer, Credentials, login, logout, me, refresh, send
from tests.live.server import LiveServer

pytestmark = pytest.mark.live
RACERS = 16
ROUNDS = 20
INVALID = (401, "INVALID_REFRESH_TOKEN")
REVOKED = (401, "SESSION_REVOKED")


def sign_in(server: LiveServer, person: Credentials) -> Answer:
    return server.answer(login(person))


def outcome(server: LiveServer, answer: Answer) -> tuple[int, str | None]:
    """Return what becomes of the access token of an answer."""
    checked = server.answer(me(answer.data["accessToken"]))
    return checked.status, checked.code


def race(ports: list[int], cookie: str | None) -> str:
    """Refresh with one cookie from many tabs at once; return the one successor."""
    answers = send([(ports[n % len(ports)], refresh(cookie)) for n in range(RACERS)])
    assert [answer.status for answer in answers] == [200] * RACERS
    successors = {answer.cookie for answer in answers}
    assert len(successors) == 1
    (successor,) = successors
    assert successor is not None
    assert successor != cookie
    return successor


def test_sixteen_tabs_get_one_successor_and_stay_signed_in(server: LiveServer) -> None:
    signed_in = sign_in(server, server.person("agent"))
    cookie = signed_in.cookie
    for _ in range(ROUNDS):
        cookie = race([server.port], cookie)
    assert outcome(server, signed_in) == (200, None)
    generation = "SELECT generation FROM accounts_session ORDER BY created_at DESC LIMIT 1"
    assert server.sql(generation) == [(ROUNDS,)]


def test_tabs_on_two_processes_get_one_successor(
    server: LiveServer, second_server: LiveServer
) -> None:
    signed_in = sign_in(server, server.person("agent"))
    cookie = signed_in.cookie
    for _ in range(ROUNDS):
        cookie = race([server.port, second_server.port], cookie)
    assert outcome(second_server, signed_in) == (200, None)


def test_tabs_that_wait_for_a_thread_get_the_same_successor(server: LiveServer) -> None:
    signed_in = server.answer(login(server.person("agent")))
    busy = [login(server.person("admin"), tokenDelivery="body")] * 40
    calls = [*busy, *[refresh(signed_in.cookie)] * RACERS]
    answers = send([(server.port, call) for call in calls])[len(busy) :]
    assert [answer.status for answer in answers] == [200] * RACERS
    assert len({answer.cookie for answer in answers}) == 1
    assert outcome(server, signed_in) == (200, None)


def test_replay_right_after_a_rotation_ends_everything(server: LiveServer) -> None:
    person = server.person("manager")
    elsewhere = sign_in(server, person)
    stolen_from = sign_in(server, person)
    rotated, _ = send([(server.port, refresh(stolen_from.cookie))] * 2)
    replay = server.answer(refresh(stolen_from.cookie))
    assert (replay.status, replay.code, replay.cookie) == (*INVALID, None)
    for answer in (elsewhere, stolen_from, rotated):
        assert outcome(server, answer) == REVOKED
    later = send([(server.port, refresh(cookie)) for cookie in (rotated.cookie, elsewhere.cookie)])
    assert [(answer.status, answer.code) for answer in later] == [INVALID] * 2


def test_replay_on_the_other_process_is_theft(
    server: LiveServer, second_server: LiveServer
) -> None:
    stolen_from = sign_in(server, server.person("manager"))
    rotated = server.answer(refresh(stolen_from.cookie))
    replay = second_server.answer(refresh(stolen_from.cookie))
    assert (replay.status, replay.code) == INVALID
    assert outcome(server, rotated) == REVOKED


def test_parallel_sign_out_and_refresh_leave_nobody_signed_in(server: LiveServer) -> None:
    person = server.person("agent")
    elsewhere = sign_in(server, person)
    for _ in range(5):
        signed_in = sign_in(server, person)
        calls = [refresh(signed_in.cookie), logout(signed_in.cookie)] * 4
        answers = send([(server.port, call) for call in calls])
        assert [answer.status for answer in answers[1::2]] == [200] * 4
        assert {answer.status for answer in answers[::2]} <= {200, 401}
        cookies = {answer.cookie for answer in answers[::2] if answer.status == 200}
        for cookie in cookies | {signed_in.cookie}:
            assert server.answer(refresh(cookie)).status == 401
        assert outcome(server, signed_in) == REVOKED
    assert outcome(server, elsewhere) == (200, None)


def test_theft_noticed_on_two_sessions_at_once_ends_both_without_a_deadlock(
    server: LiveServer,
) -> None:
    person = server.person("data_entry")
    for _ in range(5):
        sessions = [sign_in(server, person) for _ in range(2)]
        send([(server.port, refresh(session.cookie)) for session in sessions])
        replays = [(server.port, refresh(session.cookie)) for session in sessions * 4]
        answers = send(replays)
        assert [(answer.status, answer.code) for answer in answers] == [INVALID] * 8
        assert [outcome(server, session) for session in sessions] == [REVOKED] * 2
    assert "deadlock" not in server.log.read_text()
