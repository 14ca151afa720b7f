"""What an account has to be, beside its password being right, before a session is opened."""

from accounts.guards.password_check import record_failure
from accounts.models import User
from crm.api.errors import EmailNotVerified
from crm.env import env


def require_verified_address(user: User) -> None:
    """Raise `EmailNotVerified` for an address that nobody proved to be theirs.

    SECURITY: only after the right password; before it, this would tell which addresses exist.
    """
    if env.require_email_verification and user.email_verified_at is None:
        record_failure(user.email, reason="email_not_verified")
        raise EmailNotVerified
