"""The mails about an account; their templates are in accounts/templates/mail."""

from crm.mail import MailKind, app_link

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
        "link": app_link("/accept-invitation", token="sample"),  # noqa: S106 (no token)
    },
)
