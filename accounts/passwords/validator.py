"""The policy as Django's forms and commands ask for it (AUTH_PASSWORD_VALIDATORS)."""

from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.passwords.policy import password_problems, shortest_length


class PolicyValidator:
    """Judges a new password wherever Django asks for one: the admin, `createsuperuser`."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` with every problem."""
        problems = password_problems(password, user=user if isinstance(user, User) else User())
        if problems:
            raise ValidationError([ValidationError(problem) for problem in problems])

    def get_help_text(self) -> str:
        """Return what a form says beside the field."""
        return f"At least {shortest_length()} characters. A few words that nobody guesses do best."
