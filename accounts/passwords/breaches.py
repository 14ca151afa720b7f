"""Asking a list of breached passwords without telling which password (k-anonymity).

Have I Been Pwned, or a mirror of it, hears the first five digits of a SHA-1 and answers the rest of
all hashes that begin so (ASVS v5.0.0-6.2.12). Off unless PASSWORD_BREACH_CHECK is on.
"""

import hashlib
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from http.client import HTTPException, HTTPSConnection

from security.events.collector import record_event
from security.events.types import EventType

HOST = "api.pwnedpasswords.com"
PATH = "/range/"
SECONDS = 1.0
_PREFIX_LENGTH = 5
# A range with its padding is about 40 kB.
_MOST_BYTES = 1_000_000
# Names are looked up without a time limit, so that the wait has to be somebody else's. Whoever
# finds all of these waiting passes.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="breach-check")


class BreachListFailed(Exception):
    """The list did not answer, or not as it should."""


def is_breached(password: str) -> bool:
    """Tell whether a password is on the list; False, with an event, when the list cannot tell."""
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    prefix, rest = digest[:_PREFIX_LENGTH], digest[_PREFIX_LENGTH:]
    asked: Future[str] = _threads.submit(read_range, prefix)
    try:
        answer = asked.result(timeout=SECONDS)
    except (OSError, HTTPException, BreachListFailed, TookTooLong) as error:
        asked.cancel()
        record_event(EventType.BREACH_CHECK_FAILED, reason=type(error).__name__)
        return False
    found = (line.strip().partition(":") for line in answer.splitlines())
    # Padding is made of hashes that were seen in no breach.
    return any(suffix.upper() == rest and count != "0" for suffix, _, count in found)


def read_range(prefix: str) -> str:
    """Return the list's lines `<rest of the hash>:<count>` for the first digits of a hash."""
    until = time.monotonic() + SECONDS
    connection = HTTPSConnection(HOST, timeout=SECONDS)
    try:
        headers = {"Add-Padding": "true", "User-Agent": "crm"}
        connection.request("GET", f"{PATH}{prefix}", headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            raise BreachListFailed(f"The list answered {response.status}.")
        body = b""
        while chunk := response.read(16_384):
            body += chunk
            if time.monotonic() > until or len(body) > _MOST_BYTES:
                raise BreachListFailed("The list's answer is too slow or too long.")
        return body.decode("ascii", errors="replace")
    finally:
        connection.close()
