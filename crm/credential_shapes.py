"""The written forms of what opens doors, taken out of text that is kept: events and logs.

Whoever writes a key or a token into a path has it in no record of the call.
"""

import re
from typing import Final

REMOVED: Final = "[removed]"

# `crm_<id>_<secret>_<checksum>`: the id is public, and tells which key to replace.
_KEY = re.compile(r"(crm_[0-9A-Za-z]{8,12}_)[0-9A-Za-z]{8,}\w*", re.ASCII)
# A JWT, with whatever is written on to its front. SECURITY: possessive, so that a long path of
# nothing but such beginnings costs one pass.
_JWT = re.compile(r"(?<![\w-])(?>[\w-]*?eyJ)[\w-]{10,}+\.[\w.-]*", re.ASCII)
# Mailed and device tokens are 43 characters of base64url; a UUID is 36.
_LONG_SEGMENT = re.compile(r"(?<=/)[\w-]{40,}[\w.-]*", re.ASCII)


def without_credentials(text: str) -> str:
    """Return text without API keys, JWTs, and tokens that are a part of a path."""
    text = _KEY.sub(rf"\1{REMOVED}", text)
    text = _JWT.sub(REMOVED, text)
    return _LONG_SEGMENT.sub(REMOVED, text)
