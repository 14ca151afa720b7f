"""What enters an event is short, clean and no credential."""

from typing import Any

import pytest

from accounts.models import Membership
from accounts.tests.calls import sign_in, sign_in_app
from conftest import ApiClient
from crm.credential_shapes import REMOVED
from security.api_keys.services import IssuedKey
from security.events.cleaning import clean_metadata, clean_text
from security.events.types import EventType
from security.tests.events import stored_events


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("two\r\nlines", "two lines"),
        ("nul\0byte", "nul byte"),
        ("\x1b[31mred", " [31mred"),
        ("right\u202eleft", "right left"),
        ("lone\ud800half", "lone half"),
        ("Zoë 日本", "Zoë 日本"),
        ("x" * 300, "x" * 200),
    ],
)
def test_text_is_made_clean(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


def test_credentials_are_taken_out_wherever_they_stand(alice: Membership, key: IssuedKey) -> None:
    token = sign_in_app(ApiClient())["refreshToken"]
    for secret in (token, token[:60]):
        assert clean_text(f"/v1/x/{secret}/y") == f"/v1/x/{REMOVED}/y"
    # The id of a key is public, and tells which one has to be replaced.
    shown = f"crm_{key.api_key.key_id}_{REMOVED}"
    assert clean_text(f"/v1/x/{key.written}/y") == f"/v1/x/{shown}/y"
    assert "eyJ" not in clean_text("x" * 190 + token)


@pytest.mark.parametrize("name", ["password", "newPassword", "refresh_token", "Cookie", "otp"])
def test_what_is_named_as_a_secret_is_not_kept(name: str) -> None:
    assert clean_metadata({name: "hush", "count": 3}) == {name: REMOVED, "count": 3}


def test_metadata_stays_small() -> None:
    cleaned = clean_metadata({f"name{n}": ["x" * 999] * 99 for n in range(99)})
    assert len(cleaned) == 20
    assert all(value == ["x" * 200] * 20 for value in cleaned.values())


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("nobody@example.com", "nobody@example.com"), ("My-Secret-Pass-1", None)],
)
def test_what_was_typed_as_an_address_is_kept_when_it_is_one(
    db: None, as_stranger: ApiClient, typed: str, kept: str | None
) -> None:
    sign_in(as_stranger, typed)
    for event in stored_events():
        assert event.metadata.get("email") == kept
        assert "my-secret-pass-1" not in str(vars(event))


def test_headers_and_paths_are_bounded(as_dora: Any) -> None:
    as_dora.get("/v1/api-keys?token=hush", headers={"User-Agent": "A\tB" + "x" * 9000})
    (event,) = stored_events(EventType.PERMISSION_DENIED)
    assert event.user_agent == ("A B" + "x" * 9000)[:400]
    assert event.request_path == "/v1/api-keys"
    assert "hush" not in str(vars(event))
