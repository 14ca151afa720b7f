"""How a rate is written in the environment."""

import pytest

from crm.env.rate import Rate


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [("100/15m", 100, 900), ("600/1m", 600, 60), ("5/s", 5, 1), (" 20/h ", 20, 3600)],
)
def test_rate_is_read(text: str, count: int, seconds: int) -> None:
    assert Rate.parse(text) == Rate(count, seconds)


def test_zero_is_no_limit() -> None:
    assert Rate.parse("0") is None


@pytest.mark.parametrize(
    "text", ["", "100", "0/15m", "-1/1m", "1/0m", "100/15", "100/15w", "\u0661/1m", "1/1m x"]
)
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="expected COUNT/PERIOD such as 100/15m"):
        Rate.parse(text)


@pytest.mark.parametrize("text", ["100/15m", "600/1m", "5/1s", "20/1h", "3/1d", "7/90s"])
def test_rate_is_written_as_it_is_read(text: str) -> None:
    assert str(Rate.parse(text)) == text
