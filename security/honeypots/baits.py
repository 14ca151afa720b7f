"""Which requests ran into a honeypot, and whether their sender came by himself."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest

USERS_PATH: Final = "/v1/admin/users"
BACKDOOR_PATH: Final = "/v1/admin/backdoor"


@dataclass(frozen=True, slots=True)
class Bait:
    """A honeypot: its name in events, and whether running into it blocks the sender."""

    name: str
    blocks: bool


USERS: Final = Bait("users", blocks=False)
BACKDOOR: Final = Bait("backdoor", blocks=True)
SCANNER: Final = Bait("scanner", blocks=True)


def bait_of(request: HttpRequest) -> Bait | None:
    """Return the honeypot that a request for no route of ours ran into."""
    if request.path == USERS_PATH:
        return USERS if request.method in {"GET", "HEAD"} else None
    if request.path == BACKDOOR_PATH:
        return BACKDOOR if request.method == "POST" else None
    return SCANNER if is_scanner_path(request.path) else None


def is_scanner_path(path: str) -> bool:
    """Tell whether a path holds one of HONEYPOT_PATHS as whole segments, in any case.

    So `/.git` is found in `/.git/config` and `/shop/.git/HEAD`, and not in `/.github`.
    """
    segments = f"{path.lower()}/"
    return any(f"{scanned}/" in segments for scanned in settings.HONEYPOT_PATHS)


def is_led_by_others(request: HttpRequest) -> bool:
    """Tell whether a browser may have been led here by a foreign page, a mail or a link.

    SECURITY: an image at `/.env` in anybody's page would else block the office of whoever looks at
    it. Browsers say by Fetch Metadata or Origin where a request comes from, and pages cannot make
    them lie; a scanner that writes these headers itself is recorded and not blocked.
    """
    origin = request.headers.get("Origin")
    # `get_host` raises nothing here: a host that is not ours was refused before.
    if origin is not None and origin != f"{request.scheme}://{request.get_host()}":
        return True
    return request.headers.get("Sec-Fetch-Site", "same-origin").lower() != "same-origin"
