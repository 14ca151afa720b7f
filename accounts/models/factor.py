"""What a person proves themselves with beside the password."""

import time
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django_otp.models import Device as OtpDevice
from django_otp.oath import TOTP

from accounts.factors.totp import STEP_SECONDS, TOLERANCE_STEPS, is_totp_code
from accounts.models.user import User
from crm.db.ids import uuid7
from crm.env import env
from security.encryption import decrypt, encrypt

_NO_STEP = -1


class TotpDevice(OtpDevice):  # type: ignore[misc]  # django-otp has no types
    """An authenticator app. Ask `django_otp.verify_token`, which locks the row.

    django-otp's own model keeps the seed in clear; this one keeps it encrypted (ASVS v5.0.0-6.5.2).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    encrypted_seed = models.CharField(max_length=200, editable=False)
    last_step = models.BigIntegerField(
        default=_NO_STEP, editable=False, help_text="Time step of the last code that worked."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        verbose_name = "authenticator app"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "confirmed"], name="accounts_totp_user_key"),
        ]

    def set_seed(self, seed: bytes) -> None:
        """Encrypt the seed for this user."""
        self.encrypted_seed = encrypt(seed, ring=env.factor_keys, belongs_to=self._owner())

    def seed(self) -> bytes:
        """Return the seed; raises `Undecryptable`."""
        return decrypt(self.encrypted_seed, ring=env.factor_keys, belongs_to=self._owner())

    def verify_token(self, token: str) -> bool:
        """Use up a code: true once, and for no code of that time or before ever again.

        SECURITY: the caller holds the lock on the row (`django_otp.verify_token`).
        """
        step = self._step_of(token, after=self.last_step)
        if step is None:
            return False
        self.last_step = step
        self.save(update_fields=["last_step"])
        return True

    def was_used(self, token: str) -> bool:
        """Tell whether a code is a right one of the present, and only too late."""
        return self._step_of(token, after=_NO_STEP) is not None

    def _step_of(self, token: str, *, after: int) -> int | None:
        """Return the time step behind a code, among the present ones."""
        if not is_totp_code(token):
            return None
        totp = TOTP(self.seed(), step=STEP_SECONDS)
        totp.time = time.time()
        is_right = totp.verify(int(token), tolerance=TOLERANCE_STEPS, min_t=after + 1)
        return int(totp.t()) if is_right else None

    def _owner(self) -> str:
        return f"totp-seed:{self.user_id}"


class BackupCode(models.Model):
    """One of the codes for the day when the app is gone. A used one stays, to know it again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="backup_codes")
    code_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)
    used_for = models.UUIDField(
        null=True, editable=False, help_text="The session of the pending sign-in it was used for."
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "code_hash"], name="accounts_backup_code_key"),
        ]

    def __str__(self) -> str:
        return f"Backup code of {self.user}"


class WrongCode(models.Model):
    """A wrong code, counted for a day against the account."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    source = models.UUIDField(
        null=True, help_text="The device with a count of its own; null for strangers."
    )
    sent_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "sent_at"], name="accounts_wrong_code_idx"),
        ]

    def __str__(self) -> str:
        return f"Wrong code for {self.user}"
