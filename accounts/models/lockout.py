"""How long a counter of failures stays locked, beyond what django-axes keeps."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

OF_DEVICE = "device:"


class Lockout(models.Model):
    """How often a counter of failures was locked of late: each lock lasts twice as long.

    `name` is what django-axes counts under: an address, whether or not it exists, or a device.
    """

    name = models.CharField(max_length=255, primary_key=True)
    lock_count = models.PositiveIntegerField(default=1)
    locked_at = models.DateTimeField(default=timezone.now)
    locked_until = models.DateTimeField()
    is_announced = models.BooleanField(
        default=False, help_text="Whether the owner was told of the last one, if there is one."
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["-locked_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index("locked_until", name="accounts_lockout_until"),
            models.Index(
                "locked_at",
                condition=models.Q(is_announced=False),
                name="accounts_lockout_unannounced",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} until {self.locked_until:%Y-%m-%d %H:%M}"


def counter_name(device_id: uuid.UUID) -> str:
    """Return the name under which the failures of a known device are counted.

    It is no address, and `security.identifiers.failure_name` makes a digest of what is none: no
    address that somebody types is counted under it.
    """
    return f"{OF_DEVICE}{device_id.hex}"


def device_of_counter(name: str) -> uuid.UUID | None:
    """Return the device whose counter this is; None for that of an address."""
    return uuid.UUID(name.removeprefix(OF_DEVICE)) if name.startswith(OF_DEVICE) else None
