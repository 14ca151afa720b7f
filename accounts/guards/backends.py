"""Who may try a password at all."""

from typing import Any

from axes.backends import AxesStandaloneBackend
from django.http import HttpRequest


class LockoutBackend(AxesStandaloneBackend):  # type: ignore[misc]  # axes has no types
    """Refuses locked accounts to whoever calls Django's `authenticate`.

    `check_password` has asked already, under its lock; it marks the request.
    """

    def authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Return None, so that the next backend judges; raises when the account is locked."""
        if not getattr(request, "lockout_was_judged", False):
            super().authenticate(request, **credentials)
