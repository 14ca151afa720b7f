"""Tokens that are mailed: random, single use, short-lived, the newest only (ASVS v5.0.0-6.4.1)."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from accounts.mailbox.one_time_tokens import consume, find, issue, revoke
from accounts.models import Membership, TokenPurpose
from tests.plain_sql import fetch_all

RESET, VERIFY = TokenPurpose.RESET_PASSWORD, TokenPurpose.VERIFY_EMAIL


def issue_to(member: Membership, purpose: TokenPurpose = RESET) -> str:
    return issue(user_id=member.user_id, purpose=purpose, email=member.user.email)


def test_a_token_is_32_random_bytes_and_only_its_hash_is_stored(alice: Membership) -> None:
    first, second = issue_to(alice), issue_to(alice, VERIFY)
    assert first != second
    assert all(re.fullmatch(r"[\w-]{43}", raw) for raw in (first, second))
    stored = str(fetch_all("SELECT * FROM accounts_onetimetoken"))
    assert first not in stored
    assert second not in stored


def test_a_token_works_once(alice: Membership) -> None:
    raw = issue_to(alice)
    token = find(raw, RESET)
    assert token is not None
    assert token.user == alice.user
    assert [consume(token), consume(token)] == [True, False]
    assert find(raw, RESET) is None


@pytest.mark.parametrize(("purpose", "minutes"), [(RESET, 30), (VERIFY, 24 * 60)])
def test_a_token_lasts_its_time(alice: Membership, purpose: TokenPurpose, minutes: int) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = find(issue_to(alice, purpose), purpose)
        raw = issue_to(alice, purpose)
        clock.shift(timedelta(minutes=minutes, seconds=-1))
        token = find(raw, purpose)
        assert token is not None
        clock.shift(timedelta(seconds=1))
        assert find(raw, purpose) is None
        assert not consume(token)


def test_the_newest_token_alone_works_and_only_for_its_purpose(alice: Membership) -> None:
    older, other = issue_to(alice), issue_to(alice, VERIFY)
    found = find(older, RESET)
    newer = issue_to(alice)
    assert found is not None
    assert not consume(found)
    assert find(older, RESET) is None
    assert find(newer, RESET, VERIFY) is not None
    assert find(newer, VERIFY) is None
    assert find(other, VERIFY) is not None


def test_a_used_token_makes_room_for_the_next(alice: Membership) -> None:
    used = find(issue_to(alice), RESET)
    assert used is not None
    assert consume(used)
    assert find(issue_to(alice), RESET) is not None


def test_a_revoked_token_works_no_more(alice: Membership, bob: Membership) -> None:
    hers, his = issue_to(alice), issue_to(bob)
    revoke(user_id=alice.user_id, purposes=[RESET])
    assert find(hers, RESET) is None
    assert find(his, RESET) is not None


def test_what_is_rolled_back_is_not_used(alice: Membership) -> None:
    raw = issue_to(alice)
    token = find(raw, RESET)
    assert token is not None
    with transaction.atomic():
        assert consume(token)
        transaction.set_rollback(True)
    assert find(raw, RESET) is not None
