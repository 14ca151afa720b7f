"""Whose address a request has: what a client writes into headers changes nothing."""

from typing import Any

import pytest
from django.test import RequestFactory

from crm.env.parsers import networks
from security.request.client_ip import (
    UNKNOWN_ADDRESS,
    axes_client_ip,
    is_from_trusted_proxy,
    parse_address,
    resolve_client_ip,
)

PROXIES = networks("10.0.0.0/8, 2001:db8:1::/64, 192.0.2.1")
NO_PROXIES = networks("")


def request_from(peer: str, forwarded: str | None = None, **headers: Any) -> Any:
    """Return a request as it arrives over a connection from the peer."""
    if forwarded is not None:
        headers["HTTP_X_FORWARDED_FOR"] = forwarded
    return RequestFactory().get("/", REMOTE_ADDR=peer, **headers)


@pytest.mark.parametrize(
    "forwarded", [None, "", "1.2.3.4", "1.2.3.4, 10.0.0.1", "10.0.0.9", "127.0.0.1", "garbage"]
)
def test_without_trusted_proxies_the_peer_is_the_client(forwarded: str | None) -> None:
    assert resolve_client_ip(request_from("203.0.113.7", forwarded), NO_PROXIES) == "203.0.113.7"


@pytest.mark.parametrize("forwarded", ["1.2.3.4", "10.0.0.1", "10.0.0.1, 10.0.0.2", "::1"])
def test_a_stranger_beside_the_proxies_is_not_believed(forwarded: str) -> None:
    assert resolve_client_ip(request_from("203.0.113.7", forwarded), PROXIES) == "203.0.113.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4,5.6.7.8,203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.7, 10.0.0.2, 192.0.2.1", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "garbage", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4, garbage", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4, ", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::5]:4711", "2001:db8::5"),
        ("10.0.0.1", "[2001:db8::5]", "2001:db8::5"),
        ("10.0.0.1", "2001:DB8:0::5", "2001:db8::5"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4, ::ffff:10.0.0.2", "1.2.3.4"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:1::9", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("10.0.0.1", "203.0.113.7' OR 1=1 --", "10.0.0.1"),
    ],
)
def test_behind_proxies_the_right_most_stranger_is_the_client(
    peer: str, forwarded: str, expected: str
) -> None:
    assert resolve_client_ip(request_from(peer, forwarded), PROXIES) == expected


@pytest.mark.parametrize(
    "header", ["HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_CLIENT_IP", "HTTP_TRUE_CLIENT_IP"]
)
@pytest.mark.parametrize("peer", ["203.0.113.7", "10.0.0.1"])
def test_other_headers_are_not_read(peer: str, header: str) -> None:
    request = request_from(peer, **{header: "for=1.2.3.4"})
    assert resolve_client_ip(request, PROXIES) == peer


@pytest.mark.parametrize("peer", ["", "unix:", "garbage"])
def test_a_peer_without_an_address_is_unknown(peer: str) -> None:
    request = request_from(peer, "1.2.3.4")
    assert resolve_client_ip(request, PROXIES) == UNKNOWN_ADDRESS
    assert is_from_trusted_proxy(request, PROXIES) is False


def test_a_proxy_is_told_from_a_stranger() -> None:
    assert is_from_trusted_proxy(request_from("10.9.9.9"), PROXIES) is True
    assert is_from_trusted_proxy(request_from("203.0.113.7", "10.0.0.1"), PROXIES) is False


@pytest.mark.parametrize(
    "raw", ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4/32", "::g", "0x7f"]
)
def test_what_is_no_address_is_none(raw: str) -> None:
    assert parse_address(raw) is None


def test_the_lockout_records_the_same_address() -> None:
    request = request_from("203.0.113.7")
    request.client_ip = "198.51.100.1"
    assert axes_client_ip(request) == "198.51.100.1"
