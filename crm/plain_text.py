"""Text that people wrote, made safe to stand in a line that somebody else reads.

Mail programs turn into links what looks like one, also without a scheme (`evil.example/login`), and
browsers read other dots, slashes and colons for the usual ones (UTS 46, NFKC).
"""

import re
import unicodedata
from typing import Final

# Letters and marks that show nothing, beside the categories of control and format characters.
_INVISIBLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)
_LINE_BREAKS: Final = frozenset({"Cc", "Zl", "Zp"})
_LOOK_ALIKES: Final = str.maketrans(
    {"\u3002": ".", "\u2044": "/", "\u2215": "/", "\u29f8": "/", "\u2236": ":", "\ua789": ":"}
)
_VARIATIONS: Final = re.compile("[\ufe00-\ufe0f]")

_SCHEME: Final = re.compile(
    r"://|\b(?:https?|ftp|mailto|tel|sms|data|javascript):(?=\S)", re.IGNORECASE
)
# A dot between a label and two letters, the least that a top-level domain has.
_DOMAIN_DOT: Final = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2})")
_DOTTED: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+/?")
_NUMERIC_ADDRESS: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
# What shows to whom a mail is about; a local part with a slash or `www.` could be read as a page.
_EMAIL: Final = re.compile(
    r"[(<]?(?!www\.)[\w'+-]+(?:\.[\w'+-]+)*@[a-z0-9-]+(?:\.[a-z0-9-]+)+[)>]?",
    re.ASCII | re.IGNORECASE,
)
# Before a name, or at the end of a firm's, written without the blank: `Dr.No`, `Smith Co.Ltd`.
_ABBREVIATIONS: Final = frozenset(
    {
        *("co", "corp", "inc", "ltd", "messrs", "pty"),
        *("dipl", "dr", "ing", "jur", "med", "nat", "ph", "phil", "prof", "rer", "sc"),
        *("fr", "ft", "jr", "mr", "mrs", "ms", "mt", "no", "rev", "sr", "sra", "st", "ste"),
    }
)


def one_line(text: str) -> str:
    """Return text on one line: line breaks become blanks, what cannot be seen is left out."""
    return " ".join("".join(_shown(character) for character in text).split())


def has_unseen(text: str) -> bool:
    """Tell whether text holds line breaks, or what is not seen or turns the line round."""
    return any(_shown(character) != character for character in text)


def has_link(name: str) -> bool:
    """Tell whether a mail program may make a link of a part of a name.

    Initials and abbreviations in front of a capital or a letter without case are none: `J.R.Smith`.
    """
    folded = _folded(name)
    if _SCHEME.search(folded) or _NUMERIC_ADDRESS.search(folded):
        return True
    return any(_is_domain(match[0]) for match in _DOTTED.finditer(folded))


def without_links(text: str) -> str:
    """Return text in which a blank breaks whatever could become a link; addresses of mail stay."""
    return " ".join(_unlinked(word) for word in text.split(" "))


def _shown(character: str) -> str:
    if character in _INVISIBLE:
        return ""
    category = unicodedata.category(character)
    if category in _LINE_BREAKS:
        return " "
    return "" if category.startswith("C") else character


def _folded(text: str) -> str:
    """Return text as a browser may read it."""
    return unicodedata.normalize("NFKC", _VARIATIONS.sub("", text)).translate(_LOOK_ALIKES)


def _is_domain(dotted: str) -> bool:
    *labels, last = dotted.rstrip("/").split(".")
    if not _DOMAIN_DOT.search(dotted):
        return False
    is_name = not last[:1].islower() and all(
        len(label) == 1 or label.lower() in _ABBREVIATIONS for label in labels
    )
    return dotted.endswith("/") or not is_name


def _unlinked(word: str) -> str:
    folded = _folded(word)
    if _EMAIL.fullmatch(word) or not (_SCHEME.search(folded) or _DOMAIN_DOT.search(folded)):
        return word
    parted = _SCHEME.sub(lambda match: match[0].replace(":", ": "), folded)
    return _DOMAIN_DOT.sub(". ", parted)
