"""Passkeys (WebAuthn): a key pair of which the private half never leaves its owner's device."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models.user import User
from crm.db.ids import uuid7

CHALLENGE_LIFETIME: Final = timedelta(minutes=5)


class Passkey(models.Model):
    """The public half, and how often the device says that it was used."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=64)
    # 1,023 bytes at most (WebAuthn, section 4), as base64url.
    credential_id = models.CharField(max_length=1364, unique=True, editable=False)
    public_key = models.BinaryField(editable=False)
    sign_count = models.BigIntegerField(default=0, editable=False)
    transports = ArrayField(models.CharField(max_length=32), default=list, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"


class ChallengePurpose(models.TextChoices):
    """What a challenge may be answered for, and nothing else."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    SECOND_STEP = "second_step"
    REAUTHENTICATE = "reauthenticate"


class PasskeyChallenge(models.Model):
    """A challenge that was handed out. Answering takes the row away, so each is answered once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    challenge_hash = models.CharField(max_length=64, unique=True, editable=False)
    purpose = models.CharField(max_length=16, choices=ChallengePurpose.choices)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    objects: ClassVar[Any] = models.Manager()

    def __str__(self) -> str:
        return f"{self.purpose} at {self.created_at:%H:%M:%S}"
