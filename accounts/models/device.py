"""A browser or app on which a person signed in, and by which the lockout knows them again."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone

from accounts.models.user import User
from crm.db.ids import uuid7

TRUST_LIFETIME = timedelta(days=30)
DEVICE_LIFETIME = timedelta(days=180)
# Of one person. An app that sends no device token makes a row with each sign-in.
MOST_DEVICES = 100


class DeviceQuerySet(models.QuerySet[Any]):
    """Reads and ends of devices."""

    def known(self) -> Self:
        """Keep devices that nobody took out of the list."""
        return self.filter(revoked_at=None)

    def revoke(self) -> int:
        """Make strangers of them for good, trusted no more; return how many were known before."""
        return self.known().update(
            revoked_at=timezone.now(),
            trusted_until=None,
            trust_fingerprint="",
            proved_fingerprint="",
        )


class Device(models.Model):
    """A row is made by a complete sign-in, so whoever has one is known until it is revoked.

    The browser holds the token; here is its SHA-256.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    token_hash = models.CharField(max_length=64, editable=False)
    name = models.CharField(max_length=100, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    ip_address = models.GenericIPAddressField(help_text="Where it signed in last.")
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    trusted_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then it needs no second factor."
    )
    trust_fingerprint = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of password and factors, keyed."
    )
    proved_fingerprint = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Of the second factors that were proved on it, keyed.",
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_announced = models.BooleanField(
        default=False, editable=False, help_text="Whether its owner was told, or need not be."
    )

    objects: ClassVar[Any] = DeviceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-last_seen_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["token_hash"], name="accounts_device_token_key"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                "first_seen_at",
                condition=models.Q(is_announced=False),
                name="accounts_device_unannounced",
            ),
            models.Index("last_seen_at", name="accounts_device_last_seen"),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'Device'} of {self.user}"

    @property
    def is_trust_running(self) -> bool:
        """Tell whether a trust has not run out; `is_trusted` judges its fingerprint too."""
        return self.trusted_until is not None and self.trusted_until > timezone.now()
