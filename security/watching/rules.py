"""What looks like an attack: every rule with its numbers, in one table."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from security.watching import statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `within` is the time that is looked at, `at_least` the number that is too many.

    `times` is how many times its own mean a count must be.
    """

    name: str
    # What a mail calls it; the subject of the finding stands behind it.
    title: str
    subject: str
    statement: str
    at_least: int = 1
    within: timedelta = timedelta(hours=1)
    times: int = 1
    tells_user: bool = False
    # With SPRAYING_BLOCK_DURATION.
    blocks_address: bool = False


# fmt: off
RULES: Final = (
    Rule(
        name="brute_force", subject="address and email", statement=statements.BRUTE_FORCE,
        title="Many failed sign-ins with one email from one address",
        at_least=5, within=timedelta(hours=24),
    ),
    Rule(
        name="spraying", subject="address", statement=statements.SPRAYING,
        title="Failed sign-ins with many emails from one address",
        at_least=10, within=timedelta(hours=1), blocks_address=True,
    ),
    Rule(
        # More than ten: an access token of 15 minutes needs four.
        name="many_refreshes", subject="session", statement=statements.MANY_REFRESHES,
        title="A session was refreshed unusually often",
        at_least=11, within=timedelta(hours=1),
    ),
    Rule(
        name="new_network", subject="person and network", statement=statements.NEW_NETWORK,
        title="A sign-in from a network not seen before",
        within=timedelta(days=90), tells_user=True,
    ),
    Rule(
        # The sign-in itself tells the person.
        name="new_device", subject="person", statement=statements.NEW_DEVICE,
        title="A sign-in with a device not seen before",
        within=timedelta(days=90),
    ),
    Rule(
        # More than ten that are live at once.
        name="concurrent_sessions", subject="person", statement=statements.CONCURRENT_SESSIONS,
        title="Unusually many sessions of one person at once",
        at_least=11,
    ),
    Rule(
        # A day's calls, against the mean of the key's last seven days.
        name="key_spike", subject="API key and day", statement=statements.KEY_SPIKE,
        title="An API key is used far more than in its last seven days",
        at_least=1000, times=5,
    ),
    Rule(
        name="theft", subject="session", statement=statements.THEFT,
        title="A used refresh token came back: stolen",
    ),
)
# fmt: on
