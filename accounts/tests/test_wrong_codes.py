"""Wrong codes are few, for each account, however one signs in again; nobody shuts an owner out."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Membership, User, WrongCode
from accounts.tests.calls import code_of, sign_in, token_of
from accounts.tests.factors import CONFIRM, App, pending_token, verify
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


def test_devices_known_by_the_password_alone_guess_together(alice: Membership) -> None:
    browsers = [ApiClient() for _ in range(3)]
    for browser in browsers:
        sign_in(browser)
    app = App(alice.user)
    answers = [code_of(sign_in(browsers[n % 3], totpCode=app.wrong_code())) for n in range(7)]
    assert answers == [WRONG] * 5 + [TOO_MANY] * 2


def test_setting_a_factor_up_counts_that_device_apart_and_no_other(alice: Membership) -> None:
    (mine, other), app = (ApiClient(), ApiClient()), App(alice.user, confirmed=False)
    sign_in(other)
    session = ApiClient(f"Bearer {token_of(sign_in(mine))}")
    assert session.post_json(CONFIRM, {"code": app.code(-1)}).status_code == 200
    assert code_of(sign_in(other, totpCode=app.wrong_code())) == WRONG
    guess(app, 4)
    assert code_of(sign_in(other, totpCode=app.code())) == TOO_MANY
    assert sign_in(mine, totpCode=app.code()).status_code == 200


def test_strangers_have_a_hundred_guesses_a_day_under_one_password(app: App) -> None:
    long_ago = timezone.now() - timedelta(hours=2)
    User.objects.update(password_changed_at=long_ago - timedelta(days=1))
    WrongCode.objects.bulk_create(WrongCode(user=app.user, sent_at=long_ago) for _ in range(99))
    assert guess(app, 2) == [WRONG, TOO_MANY]
    with time_machine.travel(timezone.now() + timedelta(hours=22, seconds=1)):
        assert guess(app, 1) == [WRONG]


def test_a_new_password_begins_the_day_anew_and_not_the_hour(app: App) -> None:
    long_ago = timezone.now() - timedelta(hours=2)
    User.objects.update(password_changed_at=long_ago - timedelta(days=1))
    WrongCode.objects.bulk_create(WrongCode(user=app.user, sent_at=long_ago) for _ in range(100))
    assert guess(app, 1) == [TOO_MANY]
    User.objects.update(password_changed_at=timezone.now() - timedelta(hours=1))
    assert guess(app, 5) == [WRONG] * 5
    User.objects.update(password_changed_at=timezone.now())
    assert guess(app, 1) == [TOO_MANY]


def test_devices_with_a_count_of_their_own_have_fifty_together(app: App) -> None:
    known, long_ago = ApiClient(), timezone.now() - timedelta(hours=2)
    sign_in(known, totpCode=app.code(-1))
    # Those of strangers do not fill it.
    sources = [None] * 100 + [uuid.uuid4() for _ in range(49)]
    WrongCode.objects.bulk_create(
        WrongCode(user=app.user, sent_at=long_ago, source=source) for source in sources
    )
    assert code_of(sign_in(known, totpCode=app.wrong_code())) == WRONG
    assert code_of(sign_in(known, totpCode=app.code())) == TOO_MANY


def test_a_replayed_code_is_refused_and_costs_no_guess(app: App) -> None:
    code = app.code()
    sign_in(ApiClient(), totpCode=code)
    assert [code_of(sign_in(ApiClient(), totpCode=code)) for _ in range(6)] == [WRONG] * 6
    assert not WrongCode.objects.exists()


def test_a_code_makes_a_session_fresh_and_wrong_ones_are_counted(app: App) -> None:
    as_alice = ApiClient(f"Bearer {token_of(sign_in(ApiClient(), totpCode=app.code(-1)))}")
    guess(app, 6)
    wrong = [as_alice.post_json(REAUTHENTICATE, {"code": app.wrong_code()}) for _ in range(4)]
    assert [code_of(answer) for answer in wrong] == [WRONG] * 4
    answer = as_alice.post_json(REAUTHENTICATE, {"code": app.code()})
    assert answer.json()["data"] == {"freshForSeconds": 300}
    (event,) = stored_events(EventType.SESSION_REAUTHENTICATED)
    assert event.metadata["method"] == "totp"


def test_a_session_of_no_proved_device_guesses_as_a_stranger(app: App, as_alice: ApiClient) -> None:
    guess(app, 5)
    assert code_of(as_alice.post_json(REAUTHENTICATE, {"code": app.code()})) == TOO_MANY


def test_a_code_of_somebody_without_a_factor_is_wrong(as_alice: ApiClient) -> None:
    assert code_of(as_alice.post_json(REAUTHENTICATE, {"code": "123456"})) == WRONG
    both = {"code": "123456", "password": "x"}
    assert code_of(as_alice.post_json(REAUTHENTICATE, both)) == (400, "VALIDATION_ERROR")
