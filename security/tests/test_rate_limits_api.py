"""The limits as a caller of the API meets them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import caches

from security.tests.counters import SetRate

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(as_stranger: Any) -> Callable[[], Any]:
    """Sign in wrongly, each time with another email: one address tries many accounts."""

    def emails() -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"nobody-{number}@example.com"

    source = emails()
    return lambda: as_stranger.post_json(
        "/v1/auth/login", {"email": next(source), "password": "wrong horse battery"}
    )


@pytest.mark.parametrize("authorization", [None, "Bearer garbage"])
def test_stranger_is_told_what_is_left_and_then_refused(
    client: Any, set_rate: SetRate, authorization: str | None
) -> None:
    set_rate("anonymous", "2/1d")
    headers = {"Authorization": authorization} if authorization else {}
    answers = [client.get("/v1/clients", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[-1].json()["error"]["code"] == "RATE_LIMIT"
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_caller_is_not_refused_for_strangers_at_his_address(
    as_alice: Any, as_key: Any, as_stranger: Any, set_rate: SetRate
) -> None:
    set_rate("anonymous", "1/1d")
    assert [as_stranger.get("/v1/clients").status_code for _ in range(2)] == [401, 429]
    assert as_alice.get("/v1/clients").status_code == 200
    assert as_key.get("/v1/clients").status_code == 200


def test_user_and_key_are_limited_apart(as_alice: Any, as_key: Any, set_rate: SetRate) -> None:
    set_rate("api", "1/1d")
    assert [as_alice.get("/v1/clients").status_code for _ in range(2)] == [200, 429]
    assert as_key.get("/v1/clients").status_code == 200


def test_call_without_the_right_counts_too(as_dora: Any, set_rate: SetRate) -> None:
    set_rate("api", "1/1d")
    path = "/v1/api-keys"
    assert [as_dora.get(path).status_code for _ in range(2)] == [403, 429]


def test_failures_of_an_address_are_limited_over_all_accounts(
    attempt: Callable[[], Any], set_rate: SetRate
) -> None:
    set_rate("login", "2/1d")
    answers = [attempt() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[-1].json()["error"]["code"] == "AUTH_RATE_LIMIT"
    assert answers[-1].headers["RateLimit-Limit"] == "2"


def test_sign_in_calls_are_limited_right_or_wrong(
    attempt: Callable[[], Any], set_rate: SetRate
) -> None:
    set_rate("login_calls", "1/1d")
    assert [attempt().status_code for _ in range(2)] == [401, 429]


def test_refreshes_are_limited(as_stranger: Any, set_rate: SetRate) -> None:
    set_rate("refresh", "1/1d")
    answers = [as_stranger.post_json("/v1/auth/refresh", {}) for _ in range(2)]
    assert answers[0].status_code in {401, 403}
    assert answers[1].json()["error"]["code"] == "AUTH_RATE_LIMIT"


def test_health_is_never_limited(as_stranger: Any, set_rate: SetRate) -> None:
    set_rate("anonymous", "1/1d")
    answers = [as_stranger.get("/v1/health") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit-Limit" not in answers[0].headers


def test_store_down_refuses_sign_in_and_lets_calls_go_on(
    attempt: Callable[[], Any],
    as_alice: Any,
    settings: Any,
    counter_connections: None,
    set_rate: SetRate,
) -> None:
    # Nothing listens there: Redis is down, the database is up.
    caches["counters"].clear()
    settings.CACHES = {
        **settings.CACHES,
        "counters": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/redis.sock",
        },
    }
    set_rate("api", "10/1d")
    answer = attempt()
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert [as_alice.get("/v1/clients").status_code for _ in range(11)] == [200] * 10 + [429]
