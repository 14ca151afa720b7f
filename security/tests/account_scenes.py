"""Requests that fire the events about passwords and addresses."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.utils import timezone

from accounts.mailbox.one_time_tokens import issue
from accounts.models import Team, TokenPurpose, User
from accounts.passwords import breaches, policy
from accounts.tests.account_calls import change, forget, post, reset, reset_token, verify
from crm.env import env
from security.events.types import EventType

# The stage of test_event_types: the cast, and clients of theirs.
Stage = Any
NEW_EMAIL = "alice@new-harbor.net"


def _token(stage: Stage, purpose: TokenPurpose, email: str) -> str:
    return issue(user_id=stage.alice.user_id, purpose=purpose, email=email)


def _grow_old(stage: Stage) -> None:
    client = stage.as_alice
    Team.objects.update(password_max_age_days=1)
    User.objects.update(password_changed_at=timezone.now() - timedelta(days=2))
    client.get("/v1/clients")


def _change_without_the_list(stage: Stage) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy, "env", dataclasses.replace(env, password_breach_check=True))
        patch.setattr(breaches, "read_range", Mock(side_effect=OSError))
        change(stage.as_alice)


ACCOUNT_SCENES: Mapping[EventType, Callable[[Stage], Any]] = {
    EventType.PASSWORD_CHANGED: lambda stage: change(stage.as_alice),
    EventType.PASSWORD_CHANGE_DEMANDED: _grow_old,
    EventType.PASSWORD_RESET_REQUESTED: lambda _: forget(),
    EventType.PASSWORD_RESET: lambda stage: reset(reset_token(stage.alice.user)),
    EventType.EMAIL_VERIFIED: lambda stage: verify(
        _token(stage, TokenPurpose.VERIFY_EMAIL, stage.alice.user.email)
    ),
    EventType.EMAIL_CHANGE_REQUESTED: lambda stage: post(
        "email/change", {"newEmail": NEW_EMAIL}, stage.as_alice
    ),
    EventType.EMAIL_CHANGED: lambda stage: verify(
        _token(stage, TokenPurpose.CHANGE_EMAIL, NEW_EMAIL)
    ),
    EventType.BREACH_CHECK_FAILED: _change_without_the_list,
}


def call_limited(client: Any) -> None:
    """Make the calls of limits of their own once each."""
    forget()
    reset("x")
    change(client, "short")
