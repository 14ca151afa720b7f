"""Text of people: one line, nothing unseen, nothing that mail programs make a link of."""

import pytest

from crm.plain_text import has_link, has_unseen, one_line, without_links

HONEST = [
    "St. John",
    "J.R. Smith",
    "J.R.Smith",
    "M\u00fcller & S\u00f6hne",
    "Dr.No Ltd.",
    "Smith Co. Ltd",
    "Prof.Dr.Otto",
    "Harbor Realty Inc.",
    "O'Neil",
    "7-Eleven",
    "\u0645\u062d\u0645\u062f \u0639\u0644\u064a",
    "\u062f.\u0623\u062d\u0645\u062f",
    "\u738b\u5c0f\u660e",
    "Jean-Luc",
    "A/B Homes",
    "Smith & Co.KG",
    "Q: Homes",
    "3.5 Rooms",
    "No.5",
    "E.ON",
    "S.p.A. Casa",
]
LINKS = [
    "evil.com",
    "evil.com/login",
    "www.evil.com click",
    "Free: www.evil.com",
    "evil\u3002com",
    "evil\uff61com",
    "evil\u2024com",
    "evil\uff0ecom",
    "https:\uff0f\uff0fevil",
    "https://evil",
    "http\uff1a//e",
    "x@evil.com",
    "t.co",
    "\u24d4vil.\u24d2om",
    "1.2.3.4",
    "Dr.No/login",
    "visit evil.com.",
    "Evil.Com",
    "mailto:x",
    "evil.xn--p1ai",
    "evil.\u0440\u0444",
    "evil.\ufe0fcom",
    "\u2215evil.com",
]
UNSEEN = [
    "a\nb",
    "a\r\nb",
    "a\u2028b",
    "a\u2029b",
    "a\u202eb",
    "a\u200bb",
    "a\u00adb",
    "a\ufeffb",
    "a\u2066b",
    "a\u3164b",
    "a\x00b",
    "a\x1bb",
    "a\U000e0041b",
    "a\u061cb",
    "a\u2060b",
]


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_name_passes(name: str) -> None:
    assert not has_unseen(name)
    assert not has_link(name)
    assert one_line(name) == name


@pytest.mark.parametrize("name", LINKS)
def test_what_may_become_a_link_is_found(name: str) -> None:
    assert has_link(name)


@pytest.mark.parametrize("text", UNSEEN)
def test_what_is_not_seen_is_found_and_left_out(text: str) -> None:
    assert has_unseen(text)
    assert one_line(text) in {"a b", "ab"}


@pytest.mark.parametrize("name", [name for name in LINKS if name not in {"1.2.3.4", "x@evil.com"}])
def test_what_may_become_a_link_is_broken(name: str) -> None:
    broken = without_links(name)
    assert not has_link(broken)
    assert without_links(broken) == broken


@pytest.mark.parametrize(
    "text",
    [
        *("alice@harbor.example", "(o'neil+1@a-b.example)", "203.0.113.0/24", "2001:db8:abcd::/48"),
        *(
            "crm_9f3k2m1p0q8s_\u2026xyQd",
            "2026-03-01 09:00 UTC",
            "team 01a1fe7f-\u2026: position 5",
        ),
        *(
            name
            for name in HONEST
            if name not in {"Dr.No Ltd.", "J.R.Smith", "Prof.Dr.Otto", "E.ON"}
            and ".KG" not in name
            and "\u062f." not in name
        ),
    ],
)
def test_what_our_mails_name_stays_as_it_is(text: str) -> None:
    assert without_links(text) == text


def test_an_address_that_reads_as_a_page_is_broken() -> None:
    assert without_links("www.evil.com/x@corp.net") == "www. evil. com/x@corp. net"
