"""Every security event the system can record, with its category and severity, in one table.

A type stands here when something fires it; a test fires each through a real request.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class Category(StrEnum):
    """What part of the guard an event comes from."""

    AUTHENTICATION = "authentication"
    SESSION = "session"
    ACCESS = "access"
    API_KEY = "api_key"
    RATE_LIMIT = "rate_limit"
    ACCOUNT = "account"
    STAFF = "staff"
    WATCHING = "watching"


class Severity(StrEnum):
    """How soon somebody should look: when asked, some day, today, now."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class EventType(StrEnum):
    """What happened: `subject.verb_past`."""

    SIGN_IN_SUCCEEDED = "sign_in.succeeded"
    SIGN_IN_FAILED = "sign_in.failed"
    ACCOUNT_LOCKED = "account.locked"
    ACCOUNT_UNLOCKED = "account.unlocked"
    TOKEN_REFRESHED = "token.refreshed"  # noqa: S105 (an event, no token)
    TOKEN_REUSED = "token.reused"  # noqa: S105 (as above)
    SESSION_SIGNED_OUT = "session.signed_out"
    SESSION_ALL_SIGNED_OUT = "session.all_signed_out"
    SESSION_ENDED = "session.ended"
    SESSION_ENDED_BY_STAFF = "session.ended_by_staff"
    SESSION_REAUTHENTICATED = "session.reauthenticated"
    FRESH_SIGN_IN_DEMANDED = "fresh_sign_in.demanded"
    PERMISSION_DENIED = "permission.denied"
    SCOPE_DENIED = "scope.denied"
    ADDRESS_DENIED = "address.denied"
    ADDRESS_BLOCKED = "address.blocked"
    ADDRESS_UNBLOCKED = "address.unblocked"
    HONEYPOT_HIT = "honeypot.hit"
    API_KEY_ISSUED = "api_key.issued"
    API_KEY_FIRST_USED = "api_key.first_used"
    API_KEY_ROTATED = "api_key.rotated"
    API_KEY_REVOKED = "api_key.revoked"
    API_KEY_EXPIRED = "api_key.used_expired"
    API_KEY_DENIED = "api_key.denied"
    RATE_LIMIT_EXCEEDED = "rate_limit.exceeded"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 (as above)
    PASSWORD_CHANGE_DEMANDED = "password_change.demanded"  # noqa: S105 (as above)
    PASSWORD_RESET_REQUESTED = "password_reset.requested"  # noqa: S105 (as above)
    PASSWORD_RESET = "password.reset"  # noqa: S105 (as above)
    EMAIL_VERIFIED = "email.verified"
    EMAIL_CHANGE_REQUESTED = "email_change.requested"
    EMAIL_CHANGED = "email.changed"
    BREACH_CHECK_FAILED = "breach_check.failed"
    MFA_ENABLED = "mfa.enabled"
    MFA_DISABLED = "mfa.disabled"
    MFA_RESET = "mfa.reset"
    MFA_DEMANDED = "mfa.demanded"
    MFA_ASKED = "mfa.asked"
    MFA_FAILED = "mfa.failed"
    BACKUP_CODE_USED = "backup_code.used"
    BACKUP_CODES_REPLACED = "backup_codes.replaced"
    DEVICE_REVOKED = "device.revoked"
    ROLE_CHANGED = "role.changed"
    ACCOUNT_REGISTERED = "account.registered"
    REGISTRATION_REPEATED = "registration.repeated"
    MEMBER_ADDED = "member.added"
    MEMBER_DEACTIVATED = "member.deactivated"
    MEMBER_REACTIVATED = "member.reactivated"
    MEMBER_REMOVED = "member.removed"
    INVITATION_ISSUED = "invitation.issued"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_ACCEPTED = "invitation.accepted"
    ADMIN_SIGNED_IN = "admin.signed_in"
    ALL_TEAMS_OPENED = "all_teams.opened"
    SUSPICIOUS_ACTIVITY = "suspicious_activity"


class EventSpec(NamedTuple):
    """What is the same for all events of a type."""

    category: Category
    severity: Severity
    success: bool
    message: str


_AUTH, _SESSION, _ACCESS = Category.AUTHENTICATION, Category.SESSION, Category.ACCESS
_KEY, _ACCOUNT, _STAFF = Category.API_KEY, Category.ACCOUNT, Category.STAFF
_LOW, _MEDIUM, _HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH
_DONE, _REFUSED = True, False

# fmt: off
_TABLE = {
    EventType.SIGN_IN_SUCCEEDED: EventSpec(_AUTH, _LOW, _DONE, "Signed in."),
    EventType.SIGN_IN_FAILED: EventSpec(_AUTH, _MEDIUM, _REFUSED, "A sign-in failed."),
    EventType.ACCOUNT_LOCKED: EventSpec(
        _AUTH, _HIGH, _REFUSED, "Too many failures locked the account."
    ),
    EventType.ACCOUNT_UNLOCKED: EventSpec(_AUTH, _MEDIUM, _DONE, "The account was unlocked."),
    EventType.TOKEN_REFRESHED: EventSpec(_SESSION, _LOW, _DONE, "A session was refreshed."),
    EventType.TOKEN_REUSED: EventSpec(
        _SESSION, Severity.CRITICAL, _REFUSED,
        "A used refresh token came back: stolen. All sessions of the user ended.",
    ),
    EventType.SESSION_SIGNED_OUT: EventSpec(_SESSION, _LOW, _DONE, "Signed out."),
    EventType.SESSION_ALL_SIGNED_OUT: EventSpec(_SESSION, _LOW, _DONE, "Signed out everywhere."),
    EventType.SESSION_ENDED: EventSpec(_SESSION, _LOW, _DONE, "The owner ended a session."),
    EventType.SESSION_ENDED_BY_STAFF: EventSpec(
        _SESSION, _MEDIUM, _DONE, "Staff ended sessions."
    ),
    EventType.SESSION_REAUTHENTICATED: EventSpec(
        _SESSION, _LOW, _DONE, "A signed-in person proved again who they are."
    ),
    EventType.FRESH_SIGN_IN_DEMANDED: EventSpec(
        _ACCESS, _LOW, _REFUSED, "A call needs a fresh sign-in."
    ),
    EventType.PERMISSION_DENIED: EventSpec(
        _ACCESS, _MEDIUM, _REFUSED, "The role does not allow this."
    ),
    EventType.SCOPE_DENIED: EventSpec(
        _ACCESS, _MEDIUM, _REFUSED, "The API key's scopes do not allow this."
    ),
    EventType.ADDRESS_DENIED: EventSpec(
        _ACCESS, _HIGH, _REFUSED, "The address is blocked, or on no allow list."
    ),
    EventType.ADDRESS_BLOCKED: EventSpec(_ACCESS, _HIGH, _DONE, "An address was blocked."),
    EventType.ADDRESS_UNBLOCKED: EventSpec(_ACCESS, _MEDIUM, _DONE, "A block was lifted."),
    EventType.HONEYPOT_HIT: EventSpec(
        _ACCESS, _MEDIUM, _REFUSED, "A path was asked for that only scanners ask for."
    ),
    EventType.API_KEY_ISSUED: EventSpec(_KEY, _MEDIUM, _DONE, "An API key was issued."),
    EventType.API_KEY_FIRST_USED: EventSpec(
        _KEY, _LOW, _DONE, "An API key was used for the first time."
    ),
    EventType.API_KEY_ROTATED: EventSpec(_KEY, _MEDIUM, _DONE, "An API key was rotated."),
    EventType.API_KEY_REVOKED: EventSpec(_KEY, _MEDIUM, _DONE, "An API key was revoked."),
    EventType.API_KEY_EXPIRED: EventSpec(_KEY, _MEDIUM, _REFUSED, "An expired API key was used."),
    EventType.API_KEY_DENIED: EventSpec(_KEY, _HIGH, _REFUSED, "An API key was refused."),
    EventType.RATE_LIMIT_EXCEEDED: EventSpec(
        Category.RATE_LIMIT, _MEDIUM, _REFUSED, "A rate limit was exceeded."
    ),
    EventType.PASSWORD_CHANGED: EventSpec(_ACCOUNT, _HIGH, _DONE, "The password was changed."),
    EventType.PASSWORD_CHANGE_DEMANDED: EventSpec(
        _ACCESS, _LOW, _REFUSED, "The team asks for a newer password first."
    ),
    EventType.PASSWORD_RESET_REQUESTED: EventSpec(
        _ACCOUNT, _MEDIUM, _DONE, "Somebody asked for a link to set a new password."
    ),
    EventType.PASSWORD_RESET: EventSpec(
        _ACCOUNT, _HIGH, _DONE, "The password was set by a mailed link."
    ),
    EventType.EMAIL_VERIFIED: EventSpec(_ACCOUNT, _LOW, _DONE, "The address was proved."),
    EventType.EMAIL_CHANGE_REQUESTED: EventSpec(
        _ACCOUNT, _MEDIUM, _DONE, "Somebody signed in asked for another address."
    ),
    EventType.EMAIL_CHANGED: EventSpec(_ACCOUNT, _HIGH, _DONE, "The address was changed."),
    EventType.BREACH_CHECK_FAILED: EventSpec(
        _ACCOUNT, _MEDIUM, _REFUSED, "A new password was not looked up among breached ones."
    ),
    EventType.MFA_ENABLED: EventSpec(_ACCOUNT, _HIGH, _DONE, "A second factor was added."),
    EventType.MFA_DISABLED: EventSpec(_ACCOUNT, _HIGH, _DONE, "A second factor was removed."),
    EventType.MFA_RESET: EventSpec(
        _STAFF, _HIGH, _DONE, "Staff took a person's second factor away."
    ),
    EventType.MFA_ASKED: EventSpec(
        _AUTH, _LOW, _DONE, "The password was right, and a second factor was asked for."
    ),
    EventType.MFA_FAILED: EventSpec(_AUTH, _MEDIUM, _REFUSED, "A second factor was wrong."),
    EventType.MFA_DEMANDED: EventSpec(
        _ACCESS, _LOW, _REFUSED, "A call needs an account with a second factor."
    ),
    EventType.BACKUP_CODE_USED: EventSpec(_AUTH, _HIGH, _DONE, "A backup code was used."),
    EventType.BACKUP_CODES_REPLACED: EventSpec(
        _ACCOUNT, _HIGH, _DONE, "The backup codes were replaced."
    ),
    EventType.DEVICE_REVOKED: EventSpec(_ACCOUNT, _MEDIUM, _DONE, "A known device was revoked."),
    EventType.ROLE_CHANGED: EventSpec(_ACCOUNT, _HIGH, _DONE, "A person's rights were changed."),
    EventType.ACCOUNT_REGISTERED: EventSpec(_ACCOUNT, _MEDIUM, _DONE, "An account was registered."),
    EventType.REGISTRATION_REPEATED: EventSpec(
        _ACCOUNT, _MEDIUM, _REFUSED, "Somebody registered an address that has an account."
    ),
    EventType.MEMBER_ADDED: EventSpec(_ACCOUNT, _MEDIUM, _DONE, "A person joined the team."),
    EventType.MEMBER_DEACTIVATED: EventSpec(
        _ACCOUNT, _HIGH, _DONE, "A member of the team was deactivated."
    ),
    EventType.MEMBER_REACTIVATED: EventSpec(
        _ACCOUNT, _HIGH, _DONE, "A member of the team was activated again."
    ),
    EventType.MEMBER_REMOVED: EventSpec(
        _ACCOUNT, _HIGH, _DONE, "A member was removed from the team."
    ),
    EventType.INVITATION_ISSUED: EventSpec(
        _ACCOUNT, _MEDIUM, _DONE, "Somebody was invited to the team."
    ),
    EventType.INVITATION_REVOKED: EventSpec(
        _ACCOUNT, _LOW, _DONE, "An invitation to the team was revoked."
    ),
    EventType.INVITATION_ACCEPTED: EventSpec(
        _ACCOUNT, _MEDIUM, _DONE, "An invitation to the team was accepted."
    ),
    EventType.ADMIN_SIGNED_IN: EventSpec(_STAFF, _MEDIUM, _DONE, "Signed in to the staff admin."),
    EventType.ALL_TEAMS_OPENED: EventSpec(
        _STAFF, _MEDIUM, _DONE, "Staff opened the records of all teams."
    ),
    EventType.SUSPICIOUS_ACTIVITY: EventSpec(
        Category.WATCHING, _HIGH, _REFUSED, "A rule found what looks like an attack."
    ),
}
# fmt: on
SPECS: Final[Mapping[EventType, EventSpec]] = MappingProxyType(_TABLE)
