"""What may enter an event: short text without control characters, and nothing that opens doors."""

import re
from collections.abc import Mapping
from typing import Any

from crm.credential_shapes import REMOVED, without_credentials

LONGEST_VALUE = 200
_MOST_ITEMS = 20

# Control characters, also those of Unicode that reorder a line or show nothing; lone surrogates.
_UNCLEAN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]+"
)
_SECRET_NAME = re.compile(r"passw|secret|token|cookie|authorization|credential|otp", re.IGNORECASE)


def clean_text(raw: object, length: int = LONGEST_VALUE) -> str:
    """Return text for one line of a record, at most so long, without credentials."""
    # Cut once before the patterns look at it: a header may hold many thousand characters. What a
    # credential is cut to by the second one is gone already.
    text = _UNCLEAN.sub(" ", str(raw)[: length + 1000])
    return without_credentials(text)[:length]


def clean_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata as it is stored: flat, bounded, clean, nothing named as a secret."""
    return {
        clean_text(name, 40): REMOVED if _SECRET_NAME.search(name) else _clean_value(value)
        for name, value in list(metadata.items())[:_MOST_ITEMS]
    }


def _clean_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [clean_text(item) for item in list(value)[:_MOST_ITEMS]]
    return clean_text(value)
