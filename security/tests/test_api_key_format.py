"""The written form of a key, the hash of its secret, and the networks it may come from."""

import dataclasses
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from crm.env import env
from security.api_keys import secret_hash
from security.api_keys.format import ApiKeyParts, generate_key, looks_like_key, parse_key
from security.api_keys.networks import is_allowed_address, parse_networks
from security.api_keys.secret_hash import hash_secret, verify_secret
from security.api_keys.services import IssuedKey
from security.models import ApiKey


def test_a_key_is_written_as_the_contract_says() -> None:
    prefix, key_id, secret, checksum = generate_key().written.split("_")
    assert (prefix, len(key_id), len(secret), len(checksum)) == ("crm", 12, 40, 6)
    assert (key_id + secret + checksum).isalnum()


def test_a_key_is_read_as_it_was_written() -> None:
    parts = generate_key()
    assert parse_key(parts.written) == parts
    assert looks_like_key(parts.written)


def test_no_two_keys_are_alike() -> None:
    keys = {generate_key() for _ in range(200)}
    assert len({parts.key_id for parts in keys}) == len({parts.secret for parts in keys}) == 200


def test_a_key_with_one_letter_changed_is_none() -> None:
    written = ApiKeyParts("A" * 12, "b" * 40).written
    for place in range(len(written)):
        letter = "x" if written[place] != "x" else "y"
        assert parse_key(written[:place] + letter + written[place + 1 :]) is None, place


@pytest.mark.parametrize("change", ["{} ", " {}", "{}\n", "{}x", "{}\0", "CRM{}", "x{}"])
def test_a_key_with_anything_around_it_is_none(change: str) -> None:
    assert parse_key(change.format(generate_key().written)) is None


@pytest.mark.parametrize("written", ["", "crm_", "crm___", "crm_" + "٣" * 12 + "_" + "a" * 47])
def test_what_is_no_key_is_none(written: str) -> None:
    assert parse_key(written) is None


# The stored hash.


def with_peppers(monkeypatch: pytest.MonkeyPatch, *ring: tuple[str, str]) -> None:
    changed: Any = dataclasses.replace(env, api_key_peppers=ring)
    monkeypatch.setattr(secret_hash, "env", changed)


def test_only_the_right_secret_verifies() -> None:
    pepper_id, digest = hash_secret("secret")
    assert verify_secret("secret", pepper_id=pepper_id, digest=digest)
    assert not verify_secret("Secret", pepper_id=pepper_id, digest=digest)
    assert not verify_secret("", pepper_id=pepper_id, digest=digest)
    assert not verify_secret("secret", pepper_id=pepper_id, digest="")


def test_a_hash_outlives_a_new_pepper_until_the_old_one_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_peppers(monkeypatch, ("old", "o" * 32))
    pepper_id, digest = hash_secret("secret")
    with_peppers(monkeypatch, ("new", "n" * 32), ("old", "o" * 32))
    assert hash_secret("secret")[0] == "new"
    assert verify_secret("secret", pepper_id=pepper_id, digest=digest)
    with_peppers(monkeypatch, ("new", "n" * 32))
    assert not verify_secret("secret", pepper_id=pepper_id, digest=digest)


def test_an_unknown_pepper_verifies_nothing_not_even_an_empty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_peppers(monkeypatch, ("known", ""))
    _, digest = hash_secret("secret")
    assert not verify_secret("secret", pepper_id="unknown", digest=digest)


def test_what_is_stored_proves_nothing(key: IssuedKey) -> None:
    stored = ApiKey.objects.filter(pk=key.api_key.pk).values().get()
    secret = key.written.split("_")[2]
    assert all(secret not in str(value) for value in stored.values())
    assert stored["last_four"] == key.written[-4:]
    assert len(stored["secret_hash"]) == 64
    assert str(key.api_key) == f"Website (crm_{stored['key_id']}_…{stored['last_four']})"


def test_the_database_refuses_a_secret_that_is_not_hashed(key: IssuedKey) -> None:
    with pytest.raises(IntegrityError, match="secret_is_hashed"), transaction.atomic():
        ApiKey.objects.filter(pk=key.api_key.pk).update(secret_hash="in-clear")


# Networks.


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (["203.0.113.0/24"], ["203.0.113.0/24"]),
        ([" 203.0.113.7 "], ["203.0.113.7/32"]),
        (["2001:DB8::/32"], ["2001:db8::/32"]),
    ],
)
def test_networks_are_stored_in_one_form(sent: list[str], stored: list[str]) -> None:
    assert parse_networks(sent) == stored


@pytest.mark.parametrize("raw", ["", "203.0.113.1/24", "everyone", "10.0.0.0/33", "::1/129"])
def test_what_is_no_network_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_networks([raw])


@pytest.mark.parametrize(
    ("address", "allowed", "expected"),
    [
        ("203.0.113.7", [], True),
        ("203.0.113.7", ["203.0.113.0/24"], True),
        ("203.0.114.7", ["203.0.113.0/24"], False),
        ("203.0.113.7", ["10.0.0.0/8", "203.0.113.7/32"], True),
        ("::ffff:203.0.113.7", ["203.0.113.0/24"], True),
        ("2001:db8::1", ["203.0.113.0/24"], False),
        ("2001:db8::1", ["2001:db8::/32"], True),
        ("garbage", ["0.0.0.0/0", "::/0"], False),
    ],
)
def test_an_address_is_looked_up_in_the_networks(
    address: str, allowed: list[str], expected: bool
) -> None:
    assert is_allowed_address(address, allowed) is expected
