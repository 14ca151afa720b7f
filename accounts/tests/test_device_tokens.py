"""What a device proves itself with, and the cookie that holds it."""

import base64
import uuid

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.devices.cookie import COOKIE_NAME, MOST_PEOPLE, set_device_cookie, tokens_in_cookie
from accounts.devices.names import device_name
from accounts.devices.tokens import DeviceToken, new_token, read_token

ALICE = uuid.uuid4()


def sent(cookie: str) -> list[DeviceToken]:
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE_NAME] = cookie
    return tokens_in_cookie(request)


def test_a_token_is_read_as_it_was_written() -> None:
    token = new_token(ALICE)
    assert len(str(token)) == 86
    assert read_token(str(token)) == token
    assert token.secret.hex() not in token.hash


def test_no_changed_token_is_read() -> None:
    written = str(new_token(ALICE))
    for place in range(len(written)):
        for letter in "A_":
            changed = written[:place] + letter + written[place + 1 :]
            assert changed == written or read_token(changed) is None


def test_a_token_for_somebody_else_needs_our_key() -> None:
    blob = base64.urlsafe_b64decode(str(new_token(ALICE)) + "==")
    forged = base64.urlsafe_b64encode(uuid.uuid4().bytes + blob[16:]).rstrip(b"=").decode()
    assert read_token(forged) is None


@pytest.mark.parametrize("raw", ["", ".", "x", "=" * 86, "\u00e9" * 86, "A" * 86, "A" * 5000])
def test_what_is_no_token_is_none(raw: str) -> None:
    assert read_token(raw) is None
    assert sent(raw) == []


def test_the_cookie_holds_a_token_for_each_person_the_last_first() -> None:
    held = [new_token(uuid.uuid4()) for _ in range(MOST_PEOPLE)]
    response = HttpResponse()
    again = new_token(held[3].user_id)
    set_device_cookie(response, again, held)
    kept = sent(response.cookies[COOKIE_NAME].value)
    assert kept == [again, *held[:3], *held[4:]]
    set_device_cookie(response, new_token(ALICE), kept)
    assert [token.user_id for token in sent(response.cookies[COOKIE_NAME].value)] == [
        ALICE,
        *(token.user_id for token in kept[:-1]),
    ]


def test_a_long_cookie_is_read_to_the_limit() -> None:
    written = [str(new_token(uuid.uuid4())) for _ in range(MOST_PEOPLE + 5)]
    assert [str(token) for token in sent(".".join(written))] == written[:MOST_PEOPLE]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("CrmApp/2.1 (build 7)", "Unknown device"),
        ("visit-www.evil.example/1.0", "Unknown device"),
        ("", "Unknown device"),
    ],
)
def test_a_device_that_nobody_named_is_called_by_its_browser(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
