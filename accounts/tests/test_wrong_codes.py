"""Wrong codes are few, for each account, however one signs in again; nobody shuts an owner out."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import Membership, WrongCode
from accounts.tests.calls import code_of, sign_in
from accounts.tests.factors import App, pending_token, verify
from conftest import ApiClient
from security.events.types import EventType
from security.tests.events import stored_events

WRONG = (401, "INVALID_CREDENTIALS")
TOO_MANY = (429, "AUTH_RATE_LIMIT")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
REAUTHENTICATE = "/v1/auth/reauthenticate"


@pytest.fixture
def app(alice: Membership) -> App:
    return App(alice.user)


def guess(app: App, times: int) -> list[tuple[int, str | None]]:
    """Sign in with the password, and guess the code so many times."""
    token = pending_token(ApiClient())
    return [code_of(verify(ApiClient(), token, app.wrong_code())) for _ in range(times)]


def test_the_sixth_code_in_five_minutes_is_not_judged(app: App) -> None:
    assert [guess(app, 1) for _ in range(5)] == [[WRONG]] * 5
    answer = verify(ApiClient(), pending_token(ApiClient()), app.code())
    assert code_of(answer) == TOO_MANY
    assert 290 <= int(answer.headers["Retry-After"]) <= 300
    assert code_of(sign_in(ApiClient(), totpCode=app.backup_codes()[0])) == TOO_MANY
    reasons = [event.metadata["reason"] for event in stored_events(EventType.MFA_FAILED)]
    assert sorted(reasons) == ["too_many"] * 2 + ["wrong_code"] * 5


def test_both_ways_of_signing_in_count_together(app: App) -> None:
    for _ in range(2):
        assert code_of(sign_in(ApiClient(), totpCode=app.wrong_code())) == WRONG
    assert guess(app, 4) == [WRONG, WRONG, WRONG, TOO_MANY]


def test_a_right_code_forgives_no_wrong_one(app: App) -> None:
    guess(app, 4)
    assert sign_in(ApiClient(), totpCode=app.code()).status_code == 200
    assert guess(app, 2) == [WRONG, TOO_MANY]


def test_five_minutes_later_it_goes_on_and_twenty_are_the_end_for_an_hour(app: App) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(4):
            assert guess(app, 6) == [WRONG] * 5 + [TOO_MANY]
            clock.shift(timedelta(minutes=5, seconds=1))
        answer = sign_in(ApiClient(), totpCode=app.code())
        assert code_of(answer) == TOO_MANY
        assert int(answer.headers["Retry-After"]) > 2000
        clock.shift(timedelta(minutes=41))
        assert sign_in(ApiClient(), totpCode=app.code()).status_code == 200


def test_wrong_codes_lock_no_other_account_and_no_password(app: App, mallory: Membership) -> None:
    guess(app, 6)
    other = App(mallory.user)
    assert sign_in(ApiClient(), "mallory@example.com", totpCode=other.code()).status_code == 200
    assert "mfaToken" in sign_in(ApiClient()).json()["data"]


def test_strangers_who_guess_do_not_shut_out_a_known_device(app: App) -> None:
    known = ApiClient()
    sign_in(known, totpCode=app.code(-1))
    guess(app, 6)
    assert sign_in(known, totpCode=app.code()).status_code == 200


def test_a_known_device_has_five_guesses_that_count_for_strangers_too(app: App) -> None:
    known = ApiClient()
    sign_in(known, totpCode=app.code(-1))
    for _ in range(5):
        assert code_of(sign_in(known, totpCode=app.wrong_code())) == WRONG
    assert code_of(sign_in(known, totpCode=app.code())) == TOO_MANY
    assert guess(app, 1) == [TOO_MANY]


def test_a_replayed_code_is_refused_and_costs_no_guess(app: App) -> None:
    code = app.code()
    sign_in(ApiClient(), totpCode=code)
    assert [code_of(sign_in(ApiClient(), totpCode=code)) for _ in range(6)] == [WRONG] * 6
    assert not WrongCode.objects.exists()


def test_a_code_makes_a_session_fresh_and_wrong_ones_are_counted(
    app: App, as_alice: ApiClient
) -> None:
    guess(app, 6)
    wrong = [as_alice.post_json(REAUTHENTICATE, {"code": app.wrong_code()}) for _ in range(4)]
    assert [code_of(answer) for answer in wrong] == [WRONG] * 4
    answer = as_alice.post_json(REAUTHENTICATE, {"code": app.code()})
    assert answer.json()["data"] == {"freshForSeconds": 300}
    (event,) = stored_events(EventType.SESSION_REAUTHENTICATED)
    assert event.metadata["method"] == "totp"


def test_a_code_of_somebody_without_a_factor_is_wrong(as_alice: ApiClient) -> None:
    assert code_of(as_alice.post_json(REAUTHENTICATE, {"code": "123456"})) == WRONG
    both = {"code": "123456", "password": "x"}
    assert code_of(as_alice.post_json(REAUTHENTICATE, both)) == (400, "VALIDATION_ERROR")
