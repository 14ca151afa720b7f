"""The shared secret of an authenticator app (RFC 6238) and how the app gets it."""

import base64
import io
import re
import secrets
from typing import Final
from urllib.parse import quote, urlencode

import segno
from django.conf import settings

SEED_BYTES: Final = 20  # RFC 4226, section 4: 160 bits, the length of the SHA-1 that apps use.
STEP_SECONDS: Final = 30
# Codes of the neighbouring steps count, for clocks that are off and people who are slow. A code
# works once all the same. ADR 8 says why this is more than the 30 seconds of ASVS v5.0.0-6.5.5.
TOLERANCE_STEPS: Final = 1
# SECURITY: int() reads full-width digits, signs, blanks and underscores; a code is only this.
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def new_seed() -> bytes:
    """Return a new random seed."""
    return secrets.token_bytes(SEED_BYTES)


def is_totp_code(text: str) -> bool:
    """Tell whether a text is six ASCII digits."""
    return _CODE.fullmatch(text) is not None


def written_seed(seed: bytes) -> str:
    """Return the seed as people type it into an app (base32)."""
    return base64.b32encode(seed).decode()


def otpauth_uri(seed: bytes, *, account: str) -> str:
    """Return the URI that apps read from the QR code (Key URI Format)."""
    issuer = settings.PRODUCT_NAME
    label = f"{quote(issuer)}:{quote(account, safe='@')}"
    parameters = {
        "secret": written_seed(seed),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": 6,
        "period": STEP_SECONDS,
    }
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"


def qr_svg(text: str) -> str:
    """Return a QR code of the text as one `<svg>` element, fit for a page and for an image."""
    svg = io.BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(svg, kind="svg", scale=4, border=4, light="#fff", xmldecl=False, nl=False)
    return svg.getvalue().decode()
