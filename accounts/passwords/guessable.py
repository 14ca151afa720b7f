"""Passwords that a guesser tries first: the commonest, rows of keys, and what is known of the user.

Compared in a folded form, so that neither case nor `p@$$w0rd` makes one new (ASVS v5.0.0-6.2.4,
6.2.11).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from django.contrib.auth.password_validation import CommonPasswordValidator

PRODUCT = "crm"
# What has to be there beside what a guesser knows: as much as the shortest password anywhere.
UNKNOWN_CHARACTERS = 8
# Shorter words stand inside too many others: "ann" in "cannot".
SHORTEST_HELD = 4
SHORTEST_WORD = 3
_FEWEST_DIFFERENT = 5
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)
_LOOKALIKES = [
    str.maketrans({"@": "a", "4": "a", "3": "e", "0": "o", "5": "s", "$": "s", "7": "t", **one})
    for one in ({"1": "i", "!": "i"}, {"1": "l", "!": "l"})
]
_DECORATION = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def fold(text: str) -> str:
    """Return text without the differences that a guesser tries anyway."""
    return unicodedata.normalize("NFKC", text).casefold()


def is_common(password: str) -> bool:
    """Tell whether this is a common password, repeated or decorated, or a row of keys."""
    folded = fold(password)
    parts = (folded, _squashed(folded), _without_decoration(folded))
    return len(set(folded)) < _FEWEST_DIFFERENT or any(
        form in _common_passwords() or _is_row(form) for part in parts for form in _forms(part)
    )


def is_made_of(password: str, *, names: Iterable[str], words: Iterable[str]) -> bool:
    """Tell whether a password holds the product's name or one of these, or little but the words.

    A name is whole, such as the team's; a word is a part of one.
    """
    rest = squashed = _squashed(fold(password))
    whole = (_squashed(fold(name)) for name in names)
    held = [PRODUCT, *(name for name in whole if len(name) >= SHORTEST_HELD)]
    if any(name in squashed for name in held):
        return True
    parts = {part for word in words for part in _parts(word)}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= SHORTEST_WORD:
            rest = rest.replace(part, "")
    return rest != squashed and (len(rest) < UNKNOWN_CHARACTERS or is_common(rest))


def _forms(text: str) -> Iterator[str]:
    """Yield the text, what it repeats, and both with lookalikes read as letters."""
    for form in (text, _repeated_part(text)):
        yield form
        for table in _LOOKALIKES:
            yield form.translate(table)


def _parts(word: str) -> list[str]:
    return [_squashed(part) for part in re.split(r"[\W_]+", fold(word)) if part]


def _squashed(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _without_decoration(text: str) -> str:
    """Return the text without digits and signs at its ends, if there are few of them."""
    bare = _DECORATION.sub("", text)
    return bare if len(text) - len(bare) < UNKNOWN_CHARACTERS else text


def _repeated_part(text: str) -> str:
    """Return the shortest text that gives this one when repeated."""
    return text[: (text + text).find(text, 1)] if text else text


def _is_row(text: str) -> bool:
    """Tell whether these are keys in their order, or against it."""
    is_row = any(text in row * 2 or text[::-1] in row * 2 for row in _ROWS)
    return is_row and len(text) >= UNKNOWN_CHARACTERS


@cache
def _common_passwords() -> frozenset[str]:
    """Return Django's list of the 20,000 commonest passwords (by Royce Williams), folded."""
    return frozenset(fold(password) for password in CommonPasswordValidator().passwords)
