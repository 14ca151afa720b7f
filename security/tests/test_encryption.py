"""What is encrypted opens for its owner, under the keys of the ring, and in no other place."""

import pytest

from security.encryption import Undecryptable, decrypt, encrypt

RING = (("new", "n" * 40), ("old", "o" * 40))


def test_a_text_comes_back_and_never_looks_the_same_twice() -> None:
    first, second = (encrypt(b"seed", ring=RING, belongs_to="alice") for _ in range(2))
    assert first != second
    assert first.startswith("new.")
    assert decrypt(first, ring=RING, belongs_to="alice") == b"seed"


def test_an_old_key_opens_as_long_as_it_is_in_the_ring() -> None:
    stored = encrypt(b"seed", ring=RING[1:], belongs_to="alice")
    assert decrypt(stored, ring=RING, belongs_to="alice") == b"seed"
    with pytest.raises(Undecryptable):
        decrypt(stored, ring=RING[:1], belongs_to="alice")


def test_what_was_copied_or_changed_does_not_open() -> None:
    stored = encrypt(b"seed", ring=RING, belongs_to="alice")
    with pytest.raises(Undecryptable):
        decrypt(stored, ring=RING, belongs_to="mallory")
    for broken in (
        "",
        "new",
        "new.",
        "new.AAAA",
        "new.!",
        f"old.{stored[4:]}",
        f"{stored[:-4]}AAA=",
    ):
        with pytest.raises(Undecryptable):
            decrypt(broken, ring=RING, belongs_to="alice")
