"""The type of a rate limit in the environment: so many in so long, such as ``100/15m``."""

import re
from dataclasses import dataclass
from typing import Self

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
_PATTERN = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,5})?([smhd])", re.ASCII)
_EXPECTED = "COUNT/PERIOD such as 100/15m, 600/1m or 20/h (units s, m, h, d), or 0 for no limit"


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` events in every window of ``seconds``."""

    count: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read ``100/15m``; ``0`` gives None, which means no limit.

        Raises ValueError with a text for the operator.
        """
        text = text.strip()
        if text == "0":
            return None
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a rate: expected {_EXPECTED}")
        count, periods, unit = match.groups()
        return cls(int(count), int(periods or 1) * _UNIT_SECONDS[unit])

    def __str__(self) -> str:
        for unit in ("d", "h", "m"):
            if self.seconds % _UNIT_SECONDS[unit] == 0:
                return f"{self.count}/{self.seconds // _UNIT_SECONDS[unit]}{unit}"
        return f"{self.count}/{self.seconds}s"
