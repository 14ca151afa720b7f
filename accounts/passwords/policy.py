"""What a new password has to be (PASSWORD_POLICY; NIST SP 800-63B-4, 3.1.1.2; ASVS v5.0.0-6.2).

A password that was set before a rule came goes on working until it is changed.
"""

from typing import NamedTuple

from accounts.models import Membership, User
from accounts.models.user import normalize_password
from accounts.passwords.breaches import is_breached
from accounts.passwords.guessable import PRODUCT, is_common, is_made_of
from accounts.passwords.hashed_password import HashedPassword, hash_password
from accounts.passwords.history import REMEMBERED, is_reused
from crm.api.errors import WeakPassword
from crm.env import env

MAX_LENGTH = 128
# From here on length alone makes a password strong (NIST; ASVS v5.0.0-6.2.1).
LONG_ENOUGH_ALONE = 15
_TIERED, _NIST = "tiered", "nist"


class Judgement(NamedTuple):
    """What is wrong with a new password, and its hash where it was compared with earlier ones."""

    problems: list[str]
    hashed: HashedPassword | None = None


def require_strong_password(
    password: str | None, *, user: User, team: str = "", field: str = "password"
) -> None:
    """Raise `WeakPassword` with every problem under the name of the field."""
    problems = password_problems(password or "", user=user, team=team)
    if problems:
        raise WeakPassword(details={field: problems})


def hash_strong_password(password: str, *, user: User, field: str) -> HashedPassword:
    """Return the hash of a saved user's new password, made once, to be stored.

    Raises `WeakPassword` with every problem under the name of the field.
    """
    judgement = judge_password(password, user=user)
    if judgement.problems or judgement.hashed is None:
        raise WeakPassword(details={field: judgement.problems})
    return judgement.hashed


def password_problems(password: str, *, user: User, team: str = "") -> list[str]:
    """Return everything that is wrong with a new password, as `judge_password` finds it."""
    return judge_password(password, user=user, team=team).problems


def judge_password(password: str, *, user: User, team: str = "") -> Judgement:
    """Judge a new password of a user, saved or not.

    `team` is the name of a team that is about to be made; those of the user are known. For a saved
    user it costs one hash, and with PASSWORD_BREACH_CHECK up to a second: call it outside
    transactions that others wait for.
    """
    normal = normalize_password(password) or ""
    try:
        normal.encode()
    except UnicodeEncodeError:
        return Judgement(["Use characters that can be written in UTF-8."])
    problems = [*_length_problems(password, normal), *_class_problems(normal)]
    if is_common(normal):
        problems.append("This is among the passwords that are guessed first.")
    teams = _team_names(user, team)
    if is_made_of(normal, names=_names(user, teams), words=_words(user, teams)):
        problems.append(
            f"Leave out your name, your email address, your team and {PRODUCT.upper()}."
        )
    hashed = None
    if len(normal) <= MAX_LENGTH and not user._state.adding:
        hashed = hash_password(normal, present=user.password)
        if is_reused(user, password, hashed):
            problems.append(f"This is one of your last {REMEMBERED} passwords.")
    if env.password_breach_check and is_breached(normal):
        problems.append("This password has appeared in a data breach.")
    return Judgement(problems, hashed)


def shortest_length() -> int:
    """Return the least number of characters: MIN_PASSWORD_LENGTH, or what the policy asks."""
    if env.min_password_length is not None:
        return int(env.min_password_length)
    return LONG_ENOUGH_ALONE if env.password_policy == _NIST else 12


def _length_problems(typed: str, normal: str) -> list[str]:
    """Each code point is one character, blanks at the ends included; nothing is cut.

    Some characters become many when normalised: of the typed and the normal form, the shorter
    counts, since a guesser types as well.
    """
    if min(len(typed), len(normal)) < shortest_length():
        return [f"Use at least {shortest_length()} characters."]
    if len(normal) > MAX_LENGTH:
        return [f"Use at most {MAX_LENGTH} characters."]
    return []


def _class_problems(password: str) -> list[str]:
    if env.password_policy == _NIST:
        return []
    is_long = len(password) >= LONG_ENOUGH_ALONE
    if env.password_policy == _TIERED and is_long:
        return []
    checks = (
        (env.require_uppercase, str.isupper, "Use an upper-case letter."),
        (env.require_lowercase, str.islower, "Use a lower-case letter."),
        (env.require_digit, str.isdecimal, "Use a digit."),
        (env.require_special, _is_special, "Use a character that is no letter and no digit."),
    )
    return [
        message
        for is_required, has_class, message in checks
        if is_required and not any(has_class(character) for character in password)
    ]


def _is_special(character: str) -> bool:
    return not character.isalnum()


def _names(user: User, teams: list[str]) -> list[str]:
    """Return what no password may hold."""
    local_part = user.email.partition("@")[0]
    return [local_part, f"{user.first_name}{user.last_name}", *teams]


def _words(user: User, teams: list[str]) -> list[str]:
    """Return what does not make a password hard to guess."""
    return [user.email, user.first_name, user.last_name, *teams]


def _team_names(user: User, team: str) -> list[str]:
    if user._state.adding:
        return [team]
    memberships = Membership.objects.filter(user_id=user.pk)
    return [team, *memberships.values_list("team__name", flat=True)]
