"""Parsers of environment values: text in, typed value out, `ValueError` with a clear line."""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from crm.env.rate import Rate

Parser = Callable[[str], Any]
KeyRing = tuple[tuple[str, str], ...]
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)


def text(raw: str) -> str:
    """Return the text as it is."""
    return raw


def boolean(raw: str) -> bool:
    """Return a boolean; anything but the usual words is refused, never taken for false."""
    words = {"true": True, "1": True, "yes": True, "on": True}
    words |= {"false": False, "0": False, "no": False, "off": False}
    if raw.lower() not in words:
        raise ValueError(f"{raw!r} is not a boolean; use true or false")
    return words[raw.lower()]


def positive(raw: str) -> int:
    """Return a whole number above zero."""
    if not re.fullmatch(r"[0-9]{1,9}", raw, re.ASCII) or int(raw) == 0:
        raise ValueError(f"{raw!r} is not a whole number above 0")
    return int(raw)


def password_length(raw: str) -> int:
    """Return a least length of passwords: ASVS v5.0.0-6.2.1 asks for 8, 6.2.9 allows 64."""
    if not re.fullmatch(r"[0-9]{1,2}", raw, re.ASCII) or not 8 <= int(raw) <= 64:
        raise ValueError(f"{raw!r} is not a length between 8 and 64")
    return int(raw)


def port(raw: str) -> int:
    """Return a TCP port."""
    if not re.fullmatch(r"[0-9]{1,5}", raw, re.ASCII) or not 0 < int(raw) < 65536:
        raise ValueError(f"{raw!r} is not a port between 1 and 65535")
    return int(raw)


def duration_or_zero(raw: str) -> timedelta:
    """Return a duration such as `30s`, `15m`, `12h` or `7d`."""
    match = _DURATION.fullmatch(raw)
    if match is None:
        raise ValueError(f"{raw!r} is not a duration; use for example 30s, 15m, 12h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def duration(raw: str) -> timedelta:
    """Return a duration above zero."""
    parsed = duration_or_zero(raw)
    if not parsed:
        raise ValueError("the duration must be above zero")
    return parsed


def rate(raw: str) -> Rate | None:
    """Return a rate such as `100/15m`; `0` is None: no limit."""
    return Rate.parse(raw)


def path(raw: str) -> Path:
    """Return an absolute path."""
    return Path(raw).expanduser().absolute()


def database_url(raw: str) -> str:
    """Return the URL of a PostgreSQL database; no message shows it: it holds a password."""
    parts = _split_url(raw)
    if parts is None or parts.scheme not in {"postgres", "postgresql"} or len(parts.path) < 2:
        raise ValueError("not a URL such as postgresql://user:password@host:5432/database")
    return raw


def redis_url(raw: str) -> str:
    """Return the URL of a Redis server, with as little in the message."""
    parts = _split_url(raw)
    if parts is None or parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("not a URL such as redis://host:6379/0")
    return raw


def _split_url(raw: str) -> SplitResult | None:
    try:
        parts = urlsplit(raw)
        _ = parts.port  # Read for its error: it is checked no earlier.
    except ValueError:
        return None
    return parts


def words(raw: str) -> tuple[str, ...]:
    """Return the words of a comma-separated list."""
    return tuple(word.strip() for word in raw.split(",") if word.strip())


def some_of(*choices: str) -> Parser:
    """Return a parser of comma-separated words out of these."""

    def parse_choices(raw: str) -> frozenset[str]:
        chosen = frozenset(word.lower() for word in words(raw))
        if unknown := sorted(chosen.difference(choices)):
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(choices)}")
        return chosen

    return parse_choices


def one_of(*choices: str) -> Parser:
    """Return a parser that accepts these words in any case."""

    def parse_choice(raw: str) -> str:
        for choice in choices:
            if raw.lower() == choice.lower():
                return choice
        raise ValueError(f"{raw!r} is none of {', '.join(choices)}")

    return parse_choice


def origins(raw: str) -> tuple[str, ...]:
    """Return web origins: scheme and host, with a port where it is not the usual one."""
    parsed = words(raw)
    for origin in parsed:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(f"{origin!r} is not an origin such as https://app.example.com")
    return parsed


def base_url(raw: str) -> str:
    """Return the address of a web site, to which paths are added, without a slash at its end."""
    parts = _split_url(raw)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{raw!r} is not an address such as https://app.example.com")
    if parts.query or parts.fragment or parts.username:
        raise ValueError(f"{raw!r} has more than a scheme, a host and a path")
    return raw.rstrip("/")


def email_url(raw: str) -> str:
    """Return the address of a mail server. The scheme says whether and when TLS begins."""
    parts = _split_url(raw)
    if parts is None or parts.scheme not in {"smtp", "smtp+tls", "smtp+ssl"} or not parts.hostname:
        raise ValueError("write it as smtp+tls://user:password@host:587, smtp+ssl:// or smtp://")
    return raw


def networks(raw: str) -> Networks:
    """Return IP networks; a single address is a network of one."""
    try:
        return tuple(ipaddress.ip_network(word) for word in words(raw))
    except ValueError as error:
        raise ValueError(f"not a network: {error}") from error


def admin_path(raw: str) -> str:
    """Return a path without a leading and with a trailing slash."""
    if not re.fullmatch(r"/?[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*/?", raw, re.ASCII):
        raise ValueError(f"{raw!r} is not a path such as admin/")
    cleaned = raw.strip("/") + "/"
    if cleaned.split("/")[0] in {"v1", "static"}:
        raise ValueError(f"{raw!r} would hide the API")
    return cleaned


def key_ring(raw: str) -> KeyRing:
    """Return (id, secret) pairs; the first signs, all verify. Ids are unique."""
    ring = []
    for word in words(raw):
        key_id, separator, secret = word.partition(":")
        if not separator or not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", key_id) or not secret:
            raise ValueError("write it as id:secret,id:secret with ids of letters and digits")
        ring.append((key_id, secret))
    if not ring:
        raise ValueError("holds no key")
    if len({key_id for key_id, _ in ring}) < len(ring):
        raise ValueError("the same id stands there twice")
    return tuple(ring)


def derive_secret(secret: str, *, purpose: str) -> str:
    """Return a secret of its own for one purpose (HMAC-SHA256, hexadecimal)."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()
