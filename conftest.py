"""The cast of the tests and the clients through which they call.

Team A: alice (admin), bob (agent), dora (data_entry), and an API key. Team B: mallory (admin).
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as HttpClient

from accounts.models import Membership, Team, User
from accounts.tests.factories import access_token, make_member, make_team
from crm.env import env
from security.access.roles import Role
from security.api_keys.services import IssuedKey, issue_key
from staff.tests.admin_browser import admin_browser

pytest_plugins = [
    "security.tests.blocks",
    "security.tests.counters",
    "security.tests.redis_server",
    "crm.tests.job_queue",
    "tests.cheap_hashes",
    "tests.static_files",
]

EVERY_SCOPE = {"all": ["read", "write", "delete"]}


class ApiClient(HttpClient):
    """A JSON client that carries one credential."""

    def __init__(self, authorization: str | None = None) -> None:
        headers = {"Authorization": authorization} if authorization else None
        super().__init__(headers=headers, raise_request_exception=False)

    def post_json(self, path: str, body: object = None, **extra: Any):  # type: ignore[no-untyped-def]  # Django's test response has no public type
        """POST a body as JSON."""
        return self.post(path, body, content_type="application/json", **extra)

    def patch_json(self, path: str, body: object = None, **extra: Any):  # type: ignore[no-untyped-def]  # see post_json
        """PATCH with a body as JSON."""
        return self.patch(path, body, content_type="application/json", **extra)

    def put_json(self, path: str, body: object = None, **extra: Any):  # type: ignore[no-untyped-def]  # see post_json
        """PUT a body as JSON."""
        return self.put(path, body, content_type="application/json", **extra)


@pytest.fixture
def team_a(db: None) -> Team:
    return make_team("Harbor Realty")


@pytest.fixture
def team_b(db: None) -> Team:
    return make_team("Summit Homes")


@pytest.fixture
def alice(team_a: Team) -> Membership:
    return make_member(team_a, "alice@example.com", Role.ADMIN)


@pytest.fixture
def bob(team_a: Team) -> Membership:
    return make_member(team_a, "bob@example.com", Role.AGENT)


@pytest.fixture
def dora(team_a: Team) -> Membership:
    return make_member(team_a, "dora@example.com", Role.DATA_ENTRY)


@pytest.fixture
def mallory(team_b: Team) -> Membership:
    return make_member(team_b, "mallory@example.com", Role.ADMIN)


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("staff@example.com")


@pytest.fixture
def key(alice: Membership) -> IssuedKey:
    return issue_key(
        team_id=alice.team_id, owner_id=alice.user_id, name="Website", scopes=EVERY_SCOPE
    )


@pytest.fixture
def client_of() -> Callable[[Membership], ApiClient]:
    """A client signed in as any member."""
    return lambda membership: ApiClient(f"Bearer {access_token(membership)}")


@pytest.fixture
def as_alice(alice: Membership) -> ApiClient:
    return ApiClient(f"Bearer {access_token(alice)}")


@pytest.fixture
def as_bob(bob: Membership) -> ApiClient:
    return ApiClient(f"Bearer {access_token(bob)}")


@pytest.fixture
def as_dora(dora: Membership) -> ApiClient:
    return ApiClient(f"Bearer {access_token(dora)}")


@pytest.fixture
def as_mallory(mallory: Membership) -> ApiClient:
    return ApiClient(f"Bearer {access_token(mallory)}")


@pytest.fixture
def as_key(key: IssuedKey) -> ApiClient:
    return ApiClient(f"Bearer {key.written}")


@pytest.fixture
def as_stranger() -> ApiClient:
    return ApiClient()


@pytest.fixture
def require_factor_for(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Demand a second factor: `require_factor_for("admin")` is REQUIRE_2FA_FOR=admin."""

    def require(*whom: str) -> None:
        changed = dataclasses.replace(env, require_2fa_for=frozenset(whom))
        for module in ("accounts.sessions.authentication", "security.access.permissions"):
            monkeypatch.setattr(f"{module}.env", changed)

    return require


@pytest.fixture
def password_opens_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Demand no second factor of staff who have none, as in development."""
    changed = dataclasses.replace(env, admin_require_2fa=False)
    monkeypatch.setattr("staff.sign_in.stage.env", changed)


@pytest.fixture
def as_staff(staff: User) -> HttpClient:
    """A browser in which the superuser is signed in to the admin."""
    return admin_browser(staff)
