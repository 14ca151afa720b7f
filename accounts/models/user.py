"""A person who signs in with an email address."""

import unicodedata
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.passwords.hashers import django_form, is_imported
from crm.db.ids import uuid7
from security.identifiers import normalize_email


def normalize_password(raw: str | None) -> str | None:
    """Return the password after NFKC (NIST SP 800-63B-4), so that keyboards do not matter."""
    return None if raw is None else unicodedata.normalize("NFKC", raw)


class UserManager(BaseUserManager["User"]):
    """Makes and finds users by the normalised address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without a password nobody can sign in as them."""
        user = self.model(email=normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a platform superuser, who works in the admin and belongs to no team.

        Raises `ValidationError` for a weak password: `createsuperuser` would take one.
        """
        if password is not None:
            validate_password(password, self.model(email=normalize_email(email)))
        fields = {"is_staff": True, "is_superuser": True, **fields}
        return self.create_user(email, password, email_verified_at=timezone.now(), **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user of an address in any spelling; raises `User.DoesNotExist`."""
        return self.get(email=normalize_email(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """A person. What they may do in a team is in their membership."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(
        unique=True,
        max_length=254,
        help_text="Kept in its normalised form (NFKC, case folded).",
        error_messages={"unique": "A user with this address exists."},
    )
    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(
        default=True, help_text="An inactive user loses access with the next request."
    )
    is_staff = models.BooleanField("staff", default=False, help_text="May open the admin.")
    email_verified_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the address proved to be theirs, or somebody who may vouched for it.",
    )
    # The database's own default is for imports that write the table directly.
    password_changed_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), editable=False
    )
    # A number, since two changes may carry the same time.
    factors_version = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How often second factors changed."
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering = ["email"]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        self.email = normalize_email(self.email)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = normalize_email(self.email)
        super().save(*args, **kwargs)

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(normalize_password(raw_password))

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Bind sessions in the admin to the second factors as well as to the password.

        SECURITY: a sign-in judged by the factors before opens nothing, also where its session is
        stored just after a change has ended the others.
        """
        of_password = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{of_password}.{self.factors_version}"

    def check_password(self, raw_password: str | None) -> bool:
        """Tell whether this is the password; a hash that is out of date is then replaced."""
        read, stored = self.password, django_form(self.password)
        # Who made an imported hash did not normalise; `set_password` does for its successor.
        typed = raw_password if is_imported(stored) else normalize_password(raw_password)

        def replace_hash(raw: str) -> None:
            self.set_password(raw)
            self._password = None
            # SECURITY: only in the place of what was judged. The owner may have set another
            # password meanwhile, and the old one must not come back.
            same = User.objects.filter(pk=self.pk, password=read)
            if not same.update(password=self.password):
                self.password = read

        return check_password(typed, stored, replace_hash)
