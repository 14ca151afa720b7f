"""The staff admin: people, their teams, their sign-ins and their keys.

Django imports this module at the start (autodiscover); the pages register themselves.
"""

from staff.pages import (
    api_keys,
    audit_trail,
    devices,
    events,
    factors,
    invitations,
    ip_blocks,
    lockouts,
    memberships,
    sessions,
    teams,
    users,
)

__all__ = [
    "api_keys",
    "audit_trail",
    "devices",
    "events",
    "factors",
    "invitations",
    "ip_blocks",
    "lockouts",
    "memberships",
    "sessions",
    "teams",
    "users",
]
