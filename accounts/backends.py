"""Django's authentication backend over the normalised address."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User


class EmailBackend(ModelBackend):
    """`ModelBackend`, which hashes once whether or not the address exists (CVE-2024-39329).

    `UserManager.get_by_natural_key` normalises; a password with NUL is wrong, not an error.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        user = super().authenticate(request, username=username, password=password, **kwargs)
        return user if isinstance(user, User) else None
