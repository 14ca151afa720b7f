"""The mails about an account; their templates are in accounts/templates/mail."""

from crm.mail import MailKind

TOKEN_REUSED = MailKind(
    "token_reused",
    subject="You were signed out everywhere",
    sample={"first_name": "Alice", "sessions_ended": 2},
)
