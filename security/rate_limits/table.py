"""The table of limits. Their rates come from the environment; ``0`` there switches one off."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from crm.api.errors import ApiError, AuthRateLimited, RateLimited
from crm.env import env
from crm.env.rate import Rate


class Counted(Enum):
    """What a limit counts by."""

    ADDRESS = "client address, /64 for IPv6"
    CALLER = "user or API key"
    SESSION = "session of a user"
    ACCOUNT = "account, whether or not there is one"
    SESSION_OR_LINK = "session of a user, or mailed link"


class Counting(Enum):
    """How a limit is counted."""

    EXACT = "in the shared store, before the attempt is judged"
    SETTLED = "in the process, settled with the shared store by a thread"


@dataclass(frozen=True, slots=True)
class NamedLimit:
    """One limit: whom it counts, how exactly, and what a caller above it hears."""

    name: str
    env_attribute: str
    counted: Counted
    counting: Counting
    error: type[ApiError]

    @property
    def rate(self) -> Rate | None:
        """The rate in force; None when the limit is off."""
        rate: Rate | None = getattr(env, self.env_attribute)
        return rate


ANONYMOUS_LIMIT: Final = "anonymous"
API_LIMIT: Final = "api"
SESSION_LIMIT: Final = "session"

_TABLE = (
    # Calls without a credential that proved right, garbage tokens included.
    NamedLimit(
        ANONYMOUS_LIMIT, "rate_limit_anonymous", Counted.ADDRESS, Counting.SETTLED, RateLimited
    ),
    NamedLimit(API_LIMIT, "rate_limit_api", Counted.CALLER, Counting.SETTLED, RateLimited),
    # Calls by which an owner throws a thief out. SECURITY: by session, apart from the user's
    # ordinary calls, so that a stolen session cannot use them up.
    NamedLimit(SESSION_LIMIT, "rate_limit_session", Counted.SESSION, Counting.SETTLED, RateLimited),
    # Failures only: a right password gives its reservation back.
    NamedLimit("login", "rate_limit_login", Counted.ADDRESS, Counting.EXACT, AuthRateLimited),
    # Every sign-in costs a password hash, right or wrong: this bounds what one address can burn.
    NamedLimit(
        "login_calls",
        "rate_limit_login_calls",
        Counted.ADDRESS,
        Counting.SETTLED,
        AuthRateLimited,
    ),
    # Each costs a password hash and a mail, and may make a team.
    NamedLimit(
        "register", "rate_limit_register", Counted.ADDRESS, Counting.SETTLED, AuthRateLimited
    ),
    # Mails that somebody asks for by naming an address; and those to one account, which are held
    # back without a word.
    NamedLimit("mails", "rate_limit_mails", Counted.ADDRESS, Counting.EXACT, AuthRateLimited),
    NamedLimit("mails_to", "rate_limit_mails_to", Counted.ACCOUNT, Counting.EXACT, AuthRateLimited),
    # Mailed tokens that are wrong.
    NamedLimit("tokens", "rate_limit_tokens", Counted.ADDRESS, Counting.EXACT, AuthRateLimited),
    # A new password costs a hash, also one that is refused, and one more for each remembered one of
    # another salt.
    NamedLimit(
        "new_passwords",
        "rate_limit_new_passwords",
        Counted.SESSION_OR_LINK,
        Counting.EXACT,
        AuthRateLimited,
    ),
    # A refresh carries its own credential; an office behind one address reloads many pages.
    NamedLimit("refresh", "rate_limit_refresh", Counted.ADDRESS, Counting.SETTLED, AuthRateLimited),
)

LIMITS: Final[Mapping[str, NamedLimit]] = MappingProxyType({limit.name: limit for limit in _TABLE})
