"""How each kind of value is read, and what is refused in words."""

import ipaddress
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm.env import parsers as parse

READ: list[tuple[Callable[[str], Any], str, Any]] = [
    (parse.text, "as it is", "as it is"),
    *[(parse.boolean, word, True) for word in ("true", "TRUE", "1", "yes", "on")],
    *[(parse.boolean, word, False) for word in ("false", "False", "0", "no", "off")],
    (parse.positive, "32", 32),
    (parse.port, "1", 1),
    (parse.port, "65535", 65535),
    (parse.duration, "30s", timedelta(seconds=30)),
    (parse.duration, "15m", timedelta(minutes=15)),
    (parse.duration, "12h", timedelta(hours=12)),
    (parse.duration, "7d", timedelta(days=7)),
    (parse.duration_or_zero, "0s", timedelta(0)),
    (parse.rate, "0", None),
    (parse.path, "/srv/crm", Path("/srv/crm")),
    (parse.words, "", ()),
    (parse.words, " a, b ,,c", ("a", "b", "c")),
    (parse.one_of("Strict", "Lax"), "strict", "Strict"),
    (parse.some_of("admin", "api_keys"), "", frozenset()),
    (parse.some_of("admin", "api_keys"), "Admin, api_keys", frozenset({"admin", "api_keys"})),
    (parse.origins, "https://a.example", ("https://a.example",)),
    (parse.origins, "https://a.example:8443,http://b", ("https://a.example:8443", "http://b")),
    (parse.networks, "", ()),
    (parse.networks, "10.0.0.0/8", (ipaddress.ip_network("10.0.0.0/8"),)),
    (parse.networks, "::1, 10.1.2.3", tuple(map(ipaddress.ip_network, ("::1", "10.1.2.3")))),
    (parse.admin_path, "admin/", "admin/"),
    (parse.admin_path, "/back-office", "back-office/"),
    (parse.admin_path, "staff/only", "staff/only/"),
    (parse.key_ring, "a:1", (("a", "1"),)),
    (parse.key_ring, "new:s:1,old:s2", (("new", "s:1"), ("old", "s2"))),
    (parse.database_url, "postgresql://u:p@h:5432/d", "postgresql://u:p@h:5432/d"),
    (parse.database_url, "postgres:///d?host=%2Ftmp", "postgres:///d?host=%2Ftmp"),
    (parse.redis_url, "redis://h:6379/0", "redis://h:6379/0"),
    (parse.base_url, "https://app.example.com/", "https://app.example.com"),
    (parse.base_url, "http://localhost:3000/crm", "http://localhost:3000/crm"),
    (parse.email_url, "smtp+tls://u:p@h:587", "smtp+tls://u:p@h:587"),
]
REFUSED: list[tuple[Callable[[str], Any], list[str], str]] = [
    (parse.base_url, ["", "app.example", "ftp://a", "https://"], "not an address"),
    (parse.base_url, ["https://a?x=1", "https://a#x", "https://u:p@a"], "more than a scheme"),
    (parse.email_url, ["", "mail.example", "http://a", "smtp://"], "write it as smtp"),
    (parse.boolean, ["", "maybe", "tru", "2", "t", "enabled", "None"], "not a boolean"),
    (parse.positive, ["", "0", "-1", "1.5", "1e3", "٣", "9" * 10, " 1"], "not a whole number"),
    (parse.port, ["0", "65536", "http", "-1", "123456"], "not a port"),
    (parse.duration_or_zero, ["", "15", "m", "15M", "1.5h", "-1m", "15 m", "1w"], "not a duration"),
    (parse.duration, ["0s", "0d"], "above zero"),
    (parse.rate, ["100", "1/0m"], "expected COUNT/PERIOD"),
    (parse.one_of("Strict", "Lax"), ["", "None", "Strictly"], "none of Strict, Lax"),
    (
        parse.origins,
        ["a.example", "https://a.example/", "https://a.example/x", "*", "ftp://a", "null"],
        "not an origin",
    ),
    (parse.networks, ["10.0.0.1/8", "everyone", "10.0.0.0/33"], "not a network"),
    (parse.admin_path, ["", "/", "a b/", "a//b", "?x", "ä/"], "not a path"),
    (parse.admin_path, ["v1", "v1/admin/", "static/"], "hide the API"),
    (parse.key_ring, ["secret", "a:", ":s", "a b:s", "é:s", "a:1,b"], "id:secret"),
    (parse.key_ring, ["", " , "], "holds no key"),
    (parse.key_ring, ["a:1,a:2"], "twice"),
    (
        parse.database_url,
        ["garbage", "mysql://u:p@h/d", "postgresql://u:p@h", "postgresql://h:x/d", "sqlite:///d"],
        "not a URL",
    ),
    (parse.redis_url, ["garbage", "http://h", "redis://h:99999"], "not a URL"),
]


@pytest.mark.parametrize(("parser", "raw", "expected"), READ)
def test_a_value_is_read(parser: Callable[[str], Any], raw: str, expected: object) -> None:
    assert parser(raw) == expected


@pytest.mark.parametrize(
    ("parser", "raw", "reason"),
    [(parser, raw, reason) for parser, texts, reason in REFUSED for raw in texts],
)
def test_anything_else_is_refused_in_words(
    parser: Callable[[str], Any], raw: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        parser(raw)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("parser", [parse.database_url, parse.redis_url, parse.key_ring])
def test_a_refusal_does_not_show_the_secret(parser: Callable[[str], Any]) -> None:
    with pytest.raises(ValueError, match=r".+") as refusal:
        parser("http//user?hunter2 hunter2@h")
    assert "hunter2" not in str(refusal.value)


def test_derived_secrets_differ_by_purpose() -> None:
    secret = "x" * 40
    assert parse.derive_secret(secret, purpose="a") != parse.derive_secret(secret, purpose="b")
    assert parse.derive_secret(secret, purpose="a") == parse.derive_secret(secret, purpose="a")
