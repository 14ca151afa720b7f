"""The role matrix: which role holds which right on which resource. Nothing else decides it.

A role holds what the role it includes holds, and its own. A resource that is not named for a role
is closed to it.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache


class Role(StrEnum):
    """A member's role in a team, from most to least."""

    ADMIN = "admin"
    MANAGER = "manager"
    AGENT = "agent"
    DATA_ENTRY = "data_entry"


class Right(StrEnum):
    """What can be done to a resource. `PURGE` deletes for good; `DELETE` can be restored."""

    VIEW = "view"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    PURGE = "purge"
    IMPORT = "import"
    EXPORT = "export"
    BULK_EDIT = "bulk_edit"


RECORD_RESOURCES = ("clients", "leads")
INVITATION_RESOURCE = "invitations"
TEAM_RESOURCES = ("api_keys", INVITATION_RESOURCE)
MEMBER_RESOURCE = "members"
# What the system writes itself: nobody changes it.
WATCHED_RESOURCES = ("audit_logs", "security_events")

INCLUDES: Mapping[Role, Role] = {
    Role.ADMIN: Role.MANAGER,
    Role.MANAGER: Role.AGENT,
    Role.AGENT: Role.DATA_ENTRY,
}
OWN_RECORD_RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.DATA_ENTRY: frozenset({Right.VIEW, Right.CREATE, Right.EDIT}),
    Role.AGENT: frozenset({Right.DELETE}),
    Role.MANAGER: frozenset({Right.IMPORT, Right.EXPORT, Right.BULK_EDIT}),
    Role.ADMIN: frozenset({Right.PURGE}),
}
OWN_TEAM_RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset({Right.VIEW, Right.CREATE, Right.EDIT, Right.DELETE}),
}
# Who looks after records assigns them, and has to see to whom.
OWN_MEMBER_RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.MANAGER: frozenset({Right.VIEW}),
    Role.ADMIN: frozenset({Right.CREATE, Right.EDIT, Right.DELETE}),
}


def is_above(role: Role, other: Role) -> bool:
    """Tell whether a role is higher than another."""
    return list(Role).index(role) < list(Role).index(other)


def has_right(role: Role, resource: str, right: Right) -> bool:
    """Tell whether the role holds the right on the resource."""
    return right in role_matrix()[role].get(resource, frozenset())


@cache
def role_matrix() -> Mapping[Role, Mapping[str, frozenset[Right]]]:
    """Return the whole matrix, inheritance resolved: role → resource → rights."""
    return {role: _rights_of(role) for role in Role}


def permissions_of(role: Role) -> dict[str, list[str]]:
    """Return the role's rights as the API tells them: `{"clients": ["view", …]}`."""
    return {
        resource: [right.value for right in Right if right in rights]
        for resource, rights in role_matrix()[role].items()
        if rights
    }


def _rights_of(role: Role) -> dict[str, frozenset[Right]]:
    records, team, members = frozenset[Right](), frozenset[Right](), frozenset[Right]()
    current: Role | None = role
    while current is not None:
        records |= OWN_RECORD_RIGHTS.get(current, frozenset())
        team |= OWN_TEAM_RIGHTS.get(current, frozenset())
        members |= OWN_MEMBER_RIGHTS.get(current, frozenset())
        current = INCLUDES.get(current)
    return {
        **dict.fromkeys(RECORD_RESOURCES, records),
        **dict.fromkeys(TEAM_RESOURCES, team),
        **dict.fromkeys(WATCHED_RESOURCES, team & {Right.VIEW}),
        MEMBER_RESOURCE: members,
    }
