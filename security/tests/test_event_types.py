"""Every declared type of security event is fired by a real request, as the application role."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import Membership, Session, User
from accounts.sessions import refresh as refresh_flow
from accounts.tests.account_calls import NEW_PASSWORD
from accounts.tests.calls import WRONG_PASSWORD, fail_to_sign_in, refresh_with, sign_in, sign_in_app
from accounts.tests.factories import (
    PASSWORD,
    make_device,
    make_invitation,
    make_member,
    make_team,
    make_user,
)
from accounts.tests.factors import App
from conftest import ApiClient
from security.access.roles import Role
from security.api_keys.services import IssuedKey, issue_key
from security.events.types import SPECS, EventType
from security.ip_blocks.services import block_network
from security.models import ApiKey
from security.rate_limits.table import LIMITS
from security.tests.account_scenes import ACCOUNT_SCENES, call_limited
from security.tests.counters import SetRate
from security.tests.events import stored_events
from security.watching.watcher import watch_events
from staff.tests.admin_browser import admin_browser
from staff.tests.admin_calls import page, run_action, sign_in_to_admin


class Stage:
    """The cast, and what scenes need beside them."""

    def __init__(
        self,
        alice: Membership,
        bob: Membership,
        staff: User,
        set_rate: SetRate,
        require_factor_for: Callable[..., None],
    ) -> None:
        self.alice, self.bob, self.staff, self.set_rate = alice, bob, staff, set_rate
        self.require_factor_for = require_factor_for
        self.stranger = ApiClient()

    @property
    def as_alice(self) -> ApiClient:
        """A client in which alice signed in just now."""
        return ApiClient(f"Bearer {sign_in(ApiClient()).json()['data']['accessToken']}")

    @property
    def as_bob(self) -> ApiClient:
        """The same for bob, who is an agent."""
        answer = sign_in(ApiClient(), "bob@example.com")
        return ApiClient(f"Bearer {answer.json()['data']['accessToken']}")

    @property
    def as_staff(self) -> Browser:
        """A browser of the superuser."""
        return admin_browser(self.staff)

    def key(self, **values: Any) -> IssuedKey:
        """Return a key of alice's."""
        return issue_key(
            team_id=self.alice.team_id,
            owner_id=self.alice.user_id,
            name="Website",
            **{"scopes": {"leads": ["read"]}, **values},
        )

    def call_with(self, key: IssuedKey) -> None:
        """List leads with the key."""
        ApiClient(f"Bearer {key.written}").get("/v1/leads")


def _reuse(stage: Stage) -> None:
    first = sign_in_app(stage.stranger)["refreshToken"]
    second = refresh_with(first).json()["data"]["refreshToken"]
    refresh_with(second)
    refresh_with(first)


def _lock(stage: Stage) -> None:
    fail_to_sign_in(stage.stranger, times=5)


def _unlock(stage: Stage) -> None:
    _lock(stage)
    run_action(stage.as_staff, "accounts_user", "unlock", stage.alice.user)


def _sign_out(stage: Stage) -> None:
    sign_in(stage.stranger)
    stage.stranger.post_json("/v1/auth/logout")


def _end_own(stage: Stage) -> None:
    sign_in(stage.stranger)
    session_id = Session.objects.values_list("pk", flat=True)[0]
    stage.as_alice.delete(f"/v1/auth/sessions/{session_id}")


def _end_by_staff(stage: Stage) -> None:
    sign_in(stage.stranger)
    run_action(stage.as_staff, "accounts_session", "end_selected", Session.objects.get())


def _confirm_app(stage: Stage) -> None:
    app = App(stage.alice.user, confirmed=False)
    stage.as_alice.post_json("/v1/auth/2fa/confirm", {"code": app.code()})


def _disable_app(stage: Stage) -> None:
    client = stage.as_alice
    App(stage.alice.user)
    client.post_json("/v1/auth/2fa/disable", {})


def _replace_backup_codes(stage: Stage) -> None:
    client = stage.as_alice
    App(stage.alice.user)
    client.post_json("/v1/auth/2fa/backup-codes", {})


def _reset_factor(stage: Stage) -> None:
    App(stage.alice.user)
    run_action(stage.as_staff, "accounts_user", "reset_second_factor", stage.alice.user)


def _call_without_factor(stage: Stage) -> None:
    stage.require_factor_for("admin")
    stage.as_alice.get("/v1/leads")


def _come_back_late(stage: Stage) -> None:
    client = stage.as_alice
    Session.objects.update(authenticated_at=timezone.now() - timedelta(minutes=5))
    client.get("/v1/audit-logs/export")


def _use_expired(stage: Stage) -> None:
    key = stage.key()
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    stage.call_with(key)


def _revoke(stage: Stage) -> None:
    stage.as_alice.delete(f"/v1/api-keys/{stage.key().api_key.pk}")


def _use_revoked(stage: Stage) -> None:
    key = stage.key()
    ApiKey.objects.update(revoked_at=timezone.now())
    stage.call_with(key)


def _exceed(stage: Stage) -> None:
    stage.set_rate("anonymous", "1/1d")
    for _ in range(5):
        stage.stranger.get("/v1/leads")


def _change_role(stage: Stage) -> None:
    body = {"role": "manager", "is_active": "on"}
    stage.as_staff.post(page("accounts_membership_change", stage.bob.pk), body)


def _block_address(stage: Stage) -> None:
    body = {"network": "203.0.113.7", "hours": "24", "reason": "scanning"}
    stage.as_staff.post(page("security_ipblock_add"), body)


def _lift_block(stage: Stage) -> None:
    block = block_network("203.0.113.7", by="rule")
    stage.as_staff.post(page("security_ipblock_delete", block.pk), {"post": "yes"})


def _patch_bob(stage: Stage, **change: object) -> None:
    stage.as_alice.patch_json(f"/v1/team/members/{stage.bob.pk}", change)


def _add_member(stage: Stage) -> None:
    user = make_user("new@example.com")
    body = {"team": stage.alice.team_id, "user": user.pk, "role": "agent", "is_active": "on"}
    stage.as_staff.post(page("accounts_membership_add"), body)


def _reactivate(stage: Stage) -> None:
    _patch_bob(stage, isActive=False)
    _patch_bob(stage, isActive=True)


def _revoke_device(stage: Stage) -> None:
    device = make_device(stage.alice.user)
    stage.as_alice.delete(f"/v1/auth/devices/{device.pk}")


def _be_watched(stage: Stage) -> None:
    _lock(stage)
    watch_events()


def _invite(stage: Stage, email: str = "new@example.com") -> str:
    body = {"email": email, "role": "agent"}
    answer = stage.as_alice.post_json("/v1/team/invitations", body)
    return str(answer.json()["data"]["id"])


def _accept(stage: Stage) -> None:
    host = make_member(make_team("Elsewhere"), "host@example.com", Role.ADMIN)
    _, token = make_invitation(host, "bob@example.com")
    stage.as_bob.post_json("/v1/auth/accept-invitation", {"token": token})


def _register(stage: Stage, email: str = "new@example.com") -> None:
    _, token = make_invitation(stage.alice, email)
    body = {"email": email, "password": NEW_PASSWORD, "firstName": "N", "lastName": "N"}
    stage.stranger.post_json("/v1/auth/register", {**body, "invitationToken": token})


SCENES: dict[EventType, Callable[[Stage], Any]] = {
    EventType.SIGN_IN_SUCCEEDED: lambda stage: sign_in(stage.stranger),
    EventType.SIGN_IN_FAILED: lambda stage: fail_to_sign_in(stage.stranger),
    EventType.ACCOUNT_LOCKED: _lock,
    EventType.ACCOUNT_UNLOCKED: _unlock,
    EventType.TOKEN_REFRESHED: lambda s: refresh_with(sign_in_app(s.stranger)["refreshToken"]),
    EventType.TOKEN_REUSED: _reuse,
    EventType.SESSION_SIGNED_OUT: _sign_out,
    EventType.SESSION_ALL_SIGNED_OUT: lambda s: s.as_alice.post_json("/v1/auth/logout-all"),
    EventType.SESSION_ENDED: _end_own,
    EventType.SESSION_ENDED_BY_STAFF: _end_by_staff,
    EventType.SESSION_REAUTHENTICATED: lambda stage: stage.as_alice.post_json(
        "/v1/auth/reauthenticate", {"password": PASSWORD}
    ),
    EventType.FRESH_SIGN_IN_DEMANDED: _come_back_late,
    EventType.PERMISSION_DENIED: lambda stage: stage.as_bob.get("/v1/api-keys"),
    EventType.SCOPE_DENIED: lambda s: s.call_with(s.key(scopes={"clients": ["read"]})),
    EventType.ADDRESS_DENIED: lambda s: s.call_with(s.key(allowed_ips=["203.0.113.0/24"])),
    EventType.ADDRESS_BLOCKED: _block_address,
    EventType.ADDRESS_UNBLOCKED: _lift_block,
    EventType.HONEYPOT_HIT: lambda stage: stage.stranger.get("/.git/config"),
    EventType.API_KEY_ISSUED: lambda stage: stage.as_alice.post_json(
        "/v1/api-keys", {"name": "Website", "scopes": {"leads": ["read"]}}
    ),
    EventType.API_KEY_FIRST_USED: lambda stage: stage.call_with(stage.key()),
    EventType.API_KEY_ROTATED: lambda stage: stage.as_alice.post_json(
        f"/v1/api-keys/{stage.key().api_key.pk}/rotate", {}
    ),
    EventType.API_KEY_REVOKED: _revoke,
    EventType.API_KEY_EXPIRED: _use_expired,
    EventType.API_KEY_DENIED: _use_revoked,
    EventType.RATE_LIMIT_EXCEEDED: _exceed,
    **ACCOUNT_SCENES,
    EventType.DEVICE_REVOKED: _revoke_device,
    EventType.MFA_ENABLED: _confirm_app,
    EventType.MFA_DISABLED: _disable_app,
    EventType.MFA_RESET: _reset_factor,
    EventType.MFA_DEMANDED: _call_without_factor,
    EventType.MFA_ASKED: lambda s: (App(s.alice.user), sign_in(s.stranger)),
    EventType.MFA_FAILED: lambda s: sign_in(s.stranger, totpCode=App(s.alice.user).wrong_code()),
    EventType.BACKUP_CODE_USED: lambda s: sign_in(
        s.stranger, totpCode=App(s.alice.user).backup_codes()[0]
    ),
    EventType.BACKUP_CODES_REPLACED: _replace_backup_codes,
    EventType.ROLE_CHANGED: _change_role,
    EventType.MEMBER_ADDED: _add_member,
    EventType.MEMBER_DEACTIVATED: lambda stage: _patch_bob(stage, isActive=False),
    EventType.MEMBER_REACTIVATED: _reactivate,
    EventType.MEMBER_REMOVED: lambda stage: stage.as_alice.delete(
        f"/v1/team/members/{stage.bob.pk}"
    ),
    EventType.ACCOUNT_REGISTERED: _register,
    EventType.REGISTRATION_REPEATED: lambda stage: _register(stage, "bob@example.com"),
    EventType.INVITATION_ISSUED: _invite,
    EventType.INVITATION_REVOKED: lambda stage: stage.as_alice.delete(
        f"/v1/team/invitations/{_invite(stage)}"
    ),
    EventType.INVITATION_ACCEPTED: _accept,
    EventType.ADMIN_SIGNED_IN: lambda s: sign_in_to_admin(Browser(), s.staff.email),
    EventType.ALL_TEAMS_OPENED: lambda s: s.as_staff.get(page("clients_client_changelist")),
    EventType.SUSPICIOUS_ACTIVITY: _be_watched,
}
# Recorded about requests, but behind them, by a job.
RECORDED_BY_JOBS = {EventType.SUSPICIOUS_ACTIVITY}
# What no row may hold: passwords that were typed, tokens and keys that were handed out.
SECRETS = re.compile(
    rf"{PASSWORD}|{WRONG_PASSWORD}|{NEW_PASSWORD}|eyJ[\w-]+\.|crm_\w{{12}}_\w{{40}}|argon2|Bearer"
)


@pytest.fixture
def stage(
    alice: Membership,
    bob: Membership,
    set_rate: SetRate,
    require_factor_for: Callable[..., None],
    password_opens_admin: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    monkeypatch.setattr(refresh_flow, "GATHER_SECONDS", 0)
    staff = make_user("staff@example.com", is_staff=True, is_superuser=True)
    return Stage(alice, bob, staff, set_rate, require_factor_for)


@pytest.mark.parametrize("event_type", list(EventType))
def test_a_declared_type_is_fired_by_a_request(stage: Stage, event_type: EventType) -> None:
    SCENES[event_type](stage)
    is_of_job = event_type in RECORDED_BY_JOBS
    events = [e for e in stored_events(event_type) if (e.actor_kind == "command") is is_of_job]
    assert len(events) == 1
    event, spec = events[0], SPECS[event_type]
    assert (event.category, event.severity, event.success, event.message) == spec
    assert not [row for row in stored_events() if SECRETS.search(str(vars(row)))]
    if is_of_job:
        return
    assert event.ip_address == "127.0.0.1"
    assert event.request_method in {"GET", "POST", "PATCH", "DELETE"}
    assert event.request_path.startswith("/")
    assert len(event.request_id) == 36


def test_every_type_is_specified_and_has_a_scene() -> None:
    assert set(SPECS) == set(SCENES) == set(EventType)


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_recorded_once_a_window_and_caller(stage: Stage, name: str) -> None:
    client = stage.as_alice
    stage.set_rate(name, "1/1d")
    for _ in range(3):
        fail_to_sign_in(stage.stranger)
        stage.stranger.get("/v1/leads")
        refresh_with("x")
        stage.stranger.post_json("/v1/auth/register", {})
        client.get("/v1/leads")
        call_limited(client)
    (event,) = stored_events(EventType.RATE_LIMIT_EXCEEDED)
    assert event.metadata["limit"] == name
    assert event.metadata["quota"] == "1/1d"
