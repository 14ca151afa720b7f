"""Who calls: what authentication found out, for the rest of the request."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from crm.api.errors import ApiError
from crm.env import env
from security.access.roles import Right, Role, has_right
from security.access.scopes import allows


class ActorKind(StrEnum):
    """What kind of caller acts; audit records name it."""

    USER = "user"
    API_KEY = "api_key"
    STAFF = "staff"
    JOB = "job"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An authenticated caller: a signed-in user or an API key, always in one team.

    `scopes` is None for users: they are judged by role alone.
    """

    kind: ActorKind
    id: uuid.UUID
    label: str
    user_id: uuid.UUID
    first_name: str = ""
    last_name: str = ""
    team_id: uuid.UUID
    team_name: str
    role: Role
    scopes: Mapping[str, Sequence[str]] | None = None
    session_id: uuid.UUID | None = None
    authenticated_at: datetime | None = None
    has_second_factor: bool = False
    # What has to be done under /v1/auth/ before anything else is answered.
    duty: type[ApiError] | None = None
    credential_expires_at: datetime | None = None
    is_authenticated: bool = field(default=True, init=False)

    @property
    def is_user(self) -> bool:
        """Tell whether a person signed in, rather than a key."""
        return self.kind is ActorKind.USER

    @property
    def own_session_id(self) -> uuid.UUID:
        """The session of a signed-in user. Raises TypeError for a key, which has none."""
        if self.session_id is None:
            raise TypeError("An API key has no session.")
        return self.session_id

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether a person proved who they are a short while ago; never true for a key."""
        at = self.authenticated_at
        return at is not None and now - at < env.fresh_sign_in_lifetime

    def has_scope(self, resource: str, right: Right) -> bool:
        """Tell whether the key's scopes cover the right; always true for users."""
        return self.scopes is None or allows(self.scopes, resource, right)

    def has_right(self, resource: str, right: Right) -> bool:
        """Tell whether scopes and role both allow it."""
        return self.has_scope(resource, right) and has_right(self.role, resource, right)


@dataclass(frozen=True, slots=True)
class AnonymousActor:
    """A caller without credentials."""

    is_authenticated: bool = field(default=False, init=False)


ANONYMOUS = AnonymousActor()


def anonymous() -> Any:
    """Return the anonymous caller (REST_FRAMEWORK["UNAUTHENTICATED_USER"])."""
    return ANONYMOUS
