"""The mails about an account; their templates are in accounts/templates/mail."""

from crm.mail import MailKind, app_link

_SAMPLE = {"token": "sample"}

TOKEN_REUSED = MailKind(
    "token_reused",
    subject="You were signed out everywhere",
    sample={"first_name": "Alice", "sessions_ended": 2},
)

# The subject is the same for all: the team's name could be any text.
INVITATION = MailKind(
    "invitation",
    subject="You are invited to a team",
    sample={
        "team": "Harbor Realty",
        "inviter": "Alice Moreno",
        "inviter_email": "alice@harbor.example",
        "link": app_link("/accept-invitation", **_SAMPLE),
    },
)
ACCOUNT_LOCKED = MailKind(
    "account_locked",
    subject="Your account was locked for a while",
    sample={
        "first_name": "Alice",
        "device_name": "Firefox on Linux",
        "locked_until": "2026-03-01 09:30 UTC",
    },
)

NEW_DEVICE = MailKind(
    "new_device",
    subject="You signed in on a new device",
    sample={
        "first_name": "Alice",
        "device_name": "Firefox on Linux",
        "ip_address": "203.0.113.7",
        "signed_in_at": "2026-03-01 09:00 UTC",
    },
)
FACTOR_ADDED = MailKind(
    "factor_added",
    subject="A second factor was added",
    sample={"first_name": "Alice", "factor": "an authenticator app"},
)
FACTOR_REMOVED = MailKind(
    "factor_removed",
    subject="A second factor was removed",
    sample={"first_name": "Alice", "factor": "an authenticator app"},
)
BACKUP_CODE_USED = MailKind(
    "backup_code_used",
    subject="A backup code was used",
    sample={"first_name": "Alice", "codes_left": 9},
)
BACKUP_CODES_REPLACED = MailKind(
    "backup_codes_replaced",
    subject="Your backup codes were replaced",
    sample={"first_name": "Alice", "factor": ""},
)

# No name stands in either: a stranger may have chosen it, for somebody else's address.
WELCOME = MailKind(
    "welcome", subject="Your account is ready", sample={"link": app_link("/sign-in")}
)
ALREADY_REGISTERED = MailKind(
    "already_registered",
    subject="You have an account already",
    sample={"sign_in": app_link("/sign-in"), "link": app_link("/forgot-password")},
)
# No name stands in what goes to an unproven address: it could be any text, sent to anybody.
VERIFY_EMAIL = MailKind(
    "verify_email",
    subject="Confirm your email address",
    sample={"link": app_link("/verify-email", **_SAMPLE)},
)
PASSWORD_RESET = MailKind(
    "password_reset",
    subject="Choose a new password",
    sample={"first_name": "Alice", "link": app_link("/reset-password", **_SAMPLE)},
)
PASSWORD_CHANGED = MailKind(
    "password_changed",
    subject="Your password was changed",
    sample={"first_name": "Alice", "link": app_link("/forgot-password")},
)
EMAIL_CHANGE = MailKind(
    "email_change",
    subject="Confirm your new email address",
    sample={"link": app_link("/verify-email", **_SAMPLE)},
)
EMAIL_CHANGE_REQUESTED = MailKind(
    "email_change_requested",
    subject="A new email address for your account",
    sample={"first_name": "Alice", "new_email": "alice@new.example"},
)
EMAIL_CHANGED = MailKind(
    "email_changed",
    subject="Your email address was changed",
    sample={"first_name": "Alice", "new_email": "alice@new.example"},
)
