"""Judging the token of a link that was mailed."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from rest_framework.request import Request

from accounts.mailbox import one_time_tokens
from accounts.models import OneTimeToken, TokenPurpose, User
from crm.api.errors import ValidationFailed
from security.rate_limits.exact import reserve_failure

WRONG_TOKENS = "tokens"


class LinkRefused(ValidationFailed):
    """The token is unknown, used, over, or replaced by a newer one: the answers are the same."""

    def __init__(self) -> None:
        super().__init__(details={"token": ["This link works no more. Ask for a new one."]})


def judge_link(request: Request, raw_token: str, *purposes: TokenPurpose) -> OneTimeToken:
    """Return the token of a link, not yet used up. Raises `LinkRefused`, `AuthRateLimited`.

    A token that was mailed to an address which is not the account's any more is refused, but for
    one that is to change the address.
    """
    with reserve_failure(WRONG_TOKENS, request) as reservation:
        token = one_time_tokens.find(raw_token, *purposes)
        if token is None or not token.user.is_active or not _fits_address(token):
            raise LinkRefused
        reservation.give_back()
    return token


@contextmanager
def used_up(token: OneTimeToken) -> Iterator[User]:
    """Use a token up for what is done in the block, or give it back with the rest.

    Yields its user, locked: the row that everybody locks first who changes a password or address.
    Raises `LinkRefused` when somebody else was faster.
    """
    with transaction.atomic():
        users = User.objects.select_for_update(no_key=True)
        user = users.filter(pk=token.user_id, is_active=True).first()
        if user is None or not one_time_tokens.consume(token):
            raise LinkRefused
        yield user


def _fits_address(token: OneTimeToken) -> bool:
    return token.purpose == TokenPurpose.CHANGE_EMAIL or token.email == token.user.email
