"""Addresses that somebody wants to use from now on."""

import dataclasses

import pytest
from disposable_email_domains import blocklist

from crm.api.errors import ValidationFailed
from crm.env import env
from security.new_addresses import (
    DISPOSABLE,
    NOT_AN_ADDRESS,
    NOT_ASCII,
    new_address,
    require_new_address,
)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("alice@example.com", "alice@example.com"),
        ("  Alice@EXAMPLE.com ", "alice@example.com"),
        ("\uff21lice\uff20example\uff0ecom", "alice@example.com"),
        ("\ufb01ona+x@example.com", "fiona+x@example.com"),
        ("\u212aim@example.com", "kim@example.com"),
        ("o'neil.b_c-d@sub.example.co.uk", "o'neil.b_c-d@sub.example.co.uk"),
        ("a@xn--strae-oqa.example", "a@xn--strae-oqa.example"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert new_address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "\u0430lice@example.com",  # Cyrillic
        "al\u0131ce@example.com",  # dotless i
        "ali\u200bce@example.com",
        "ali\u00adce@example.com",
        "alice@ex\u0430mple.com",
        "alice@stra\u00dfe.example",
        "alice@example.com\u202e",
    ],
)
def test_what_looks_like_another_address_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=NOT_ASCII[:20]):
        new_address(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@localhost",
        "alice@127.0.0.1.",
        "alice@[127.0.0.1]",
        '"a b"@example.com',
        '"alice@example.com"@evil.example',
        "alice@evil.example@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a@-x.example",
        "a@x..example",
        "alice@example.com\nbcc:b@example.com",
        "a\x00b@example.com",
        "a,b@example.com",
        "<a@example.com>",
        f"{'a' * 65}@example.com",
        f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 63}.example",
        "a@" + "a." * 50_000 + "-",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        require_new_address(typed)
    assert refusal.value.details == {"email": [NOT_AN_ADDRESS]}


@pytest.mark.parametrize("prefix", ["", "sub.", "a.b."])
def test_throw_away_domains_are_refused(prefix: str) -> None:
    domain = "mailinator.com"
    assert domain in blocklist
    with pytest.raises(ValueError, match=DISPOSABLE[:20]):
        new_address(f"alice@{prefix}{domain}")
    assert new_address(f"alice@x-{domain}")


def test_throw_away_domains_may_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    allowing = dataclasses.replace(env, allow_disposable_email=True)
    monkeypatch.setattr("security.new_addresses.env", allowing)
    assert new_address("alice@mailinator.com") == "alice@mailinator.com"
