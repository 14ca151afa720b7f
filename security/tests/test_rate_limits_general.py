"""Ordinary calls: strangers count by address, callers who proved who they are by name."""

import uuid
from typing import Any, ClassVar

import pytest
import time_machine
from django.http import HttpRequest, HttpResponse
from django_ratelimit.core import get_usage
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from crm.api.errors import AuthRateLimited, InvalidToken, RateLimited
from crm.env.rate import Rate
from security.access.roles import Role
from security.rate_limits.general import check_general
from security.rate_limits.headers import add_rate_limit_headers
from security.rate_limits.settled import settled_counter
from security.rate_limits.table import LIMITS, Counting
from security.rate_limits.throttles import GeneralThrottle, RateLimitedView
from security.rate_limits.windows import counter_key, window_end
from security.request.actors import ANONYMOUS, Actor, ActorKind, AnonymousActor
from security.tests.counters import SetRate
from security.tests.counting_process import call_from

pytestmark = pytest.mark.usefixtures("counter_connections")


def make_actor(kind: ActorKind = ActorKind.USER) -> Actor:
    return Actor(
        kind=kind,
        id=uuid.uuid4(),
        label="someone",
        user_id=uuid.uuid4(),
        team_id=uuid.uuid4(),
        team_name="Harbor Realty",
        role=Role.AGENT,
    )


def passes(actor: Actor | AnonymousActor, address: str = "203.0.113.7") -> bool:
    try:
        check_general(call_from(address), actor)
    except RateLimited:
        return False
    return True


class HeaderAuthentication(BaseAuthentication):
    """Knows one actor by the header `Authorization: good`; anything else in it is an error."""

    actor = make_actor()

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        credential = request.META.get("HTTP_AUTHORIZATION")
        if credential is None:
            return None
        if credential != "good":
            raise InvalidToken
        return self.actor, None


class EchoView(RateLimitedView):
    authentication_classes = (HeaderAuthentication,)
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response({})


class UnlimitedView(EchoView):
    anonymous_limit: ClassVar[str | None] = None


class ThrottledView(APIView):
    authentication_classes = (HeaderAuthentication,)
    permission_classes = (AllowAny,)
    throttle_classes = (GeneralThrottle,)

    def get(self, request: Request) -> Response:
        return Response({})


def status_of(view: type[APIView], credential: str | None = None) -> int:
    request: Any = APIRequestFactory().get("/", headers={"Authorization": credential or ""})
    if credential is None:
        del request.META["HTTP_AUTHORIZATION"]
    request.client_ip = "203.0.113.7"
    return int(view.as_view()(request).status_code)


def test_strangers_share_the_limit_of_their_address(set_rate: SetRate) -> None:
    set_rate("anonymous", "2/1d")
    assert [passes(ANONYMOUS) for _ in range(3)] == [True, True, False]
    assert passes(ANONYMOUS, "203.0.113.8")


def test_callers_have_a_limit_of_their_own(set_rate: SetRate) -> None:
    set_rate("api", "2/1d")
    one, other = make_actor(), make_actor(ActorKind.API_KEY)
    assert [passes(one) for _ in range(3)] == [True, True, False]
    assert passes(other)


def test_strangers_do_not_use_up_the_calls_of_a_caller(set_rate: SetRate) -> None:
    set_rate("anonymous", "1/1d")
    while passes(ANONYMOUS):
        pass
    assert passes(make_actor())


def test_limit_of_zero_is_off(set_rate: SetRate) -> None:
    set_rate("anonymous", "0")
    request: Any = call_from("203.0.113.7")
    check_general(request, ANONYMOUS)
    assert request.rate_limits == {}


def test_call_is_counted_once_however_often_it_is_asked(set_rate: SetRate) -> None:
    set_rate("anonymous", "2/1d")
    request = call_from("203.0.113.7")
    for _ in range(5):
        check_general(request, ANONYMOUS)
    assert passes(ANONYMOUS)


@pytest.mark.parametrize("credential", [None, "garbage"])
def test_view_counts_whoever_did_not_prove_who_he_is_by_address(
    set_rate: SetRate, credential: str | None
) -> None:
    set_rate("anonymous", "1/1d")
    first = 200 if credential is None else 401
    assert [status_of(EchoView, credential) for _ in range(2)] == [first, 429]
    assert status_of(EchoView, "good") == 200


def test_view_counts_a_caller_by_name(set_rate: SetRate) -> None:
    set_rate("api", "1/1d")
    assert [status_of(EchoView, "good") for _ in range(2)] == [200, 429]


def test_view_can_be_free_of_limits(set_rate: SetRate) -> None:
    set_rate("anonymous", "1/1d")
    assert [status_of(UnlimitedView) for _ in range(3)] == [200, 200, 200]


def test_throttle_counts_as_the_view_does(set_rate: SetRate) -> None:
    set_rate("anonymous", "1/1d")
    assert [status_of(ThrottledView) for _ in range(2)] == [200, 429]
    assert status_of(ThrottledView, "good") == 200


def test_answer_tells_what_is_left(set_rate: SetRate) -> None:
    set_rate("anonymous", "5/1d")
    request = call_from("203.0.113.7")
    check_general(request, ANONYMOUS)
    response = HttpResponse()
    add_rate_limit_headers(request, response)
    assert response.headers["RateLimit-Limit"] == "5"
    assert response.headers["RateLimit-Remaining"] == "4"
    assert 0 <= int(response.headers["RateLimit-Reset"]) <= 24 * 60 * 60
    assert "Retry-After" not in response.headers


def test_refusal_tells_when_to_return(set_rate: SetRate) -> None:
    set_rate("login_calls", "1/1d")
    check_general(call_from("203.0.113.7"), ANONYMOUS, anonymous_limit="login_calls")
    request = call_from("203.0.113.7")
    with pytest.raises(AuthRateLimited) as refusal:
        check_general(request, ANONYMOUS, anonymous_limit="login_calls")
    response = HttpResponse()
    add_rate_limit_headers(request, response)
    assert 0 < int(response.headers["Retry-After"]) <= 24 * 60 * 60 + 1
    assert refusal.value.headers["Retry-After"] == response.headers["Retry-After"]


def test_answer_tells_of_the_limit_that_is_nearest(set_rate: SetRate) -> None:
    set_rate("login_calls", "3/1d")
    request = call_from("203.0.113.7")
    check_general(request, ANONYMOUS)
    check_general(request, ANONYMOUS, anonymous_limit="login_calls")
    response = HttpResponse()
    add_rate_limit_headers(request, response)
    assert response.headers["RateLimit-Limit"] == "3"


def test_unlimited_answer_has_no_such_header() -> None:
    response = HttpResponse()
    add_rate_limit_headers(HttpRequest(), response)
    assert not [name for name in response.headers if name.startswith("RateLimit")]


def test_next_window_starts_from_nothing(set_rate: SetRate) -> None:
    set_rate("anonymous", "1/1m")
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        assert [passes(ANONYMOUS) for _ in range(2)] == [True, False]
        clock.shift(60)
        assert passes(ANONYMOUS)


def test_windows_and_keys_are_those_of_django_ratelimit(counters: Any) -> None:
    rate = Rate(30, 900)
    settled_counter.stop()
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        usage = get_usage(
            None,
            group="login",
            key=lambda _group, _request: "203.0.113.7",
            rate=lambda _group, _request: (30, 900),
            increment=True,
        )
        end = window_end("203.0.113.7", rate)
        assert usage["time_left"] == end - 1772366400
        assert counters.get(counter_key(LIMITS["login"], "203.0.113.7", rate, end)) == 1
        clock.shift(usage["time_left"])
        assert window_end("203.0.113.7", rate) == end
        clock.shift(1)
        assert window_end("203.0.113.7", rate) == end + 900


def test_every_limit_has_a_rate_in_the_environment() -> None:
    rates = {name: str(limit.rate) for name, limit in LIMITS.items()}
    assert rates == {
        "anonymous": "100/15m",
        "api": "600/1m",
        "session": "60/1m",
        "login": "30/15m",
        "login_calls": "1200/15m",
        "refresh": "600/1m",
        "register": "100/1h",
        "mails": "20/15m",
        "mails_to": "3/30m",
        "tokens": "30/15m",
        "new_passwords": "10/15m",
    }


def test_guesses_and_mails_are_counted_exactly() -> None:
    exact = {name for name, limit in LIMITS.items() if limit.counting is Counting.EXACT}
    assert exact == {"login", "mails", "mails_to", "tokens", "new_passwords"}
