"""The table of blocked networks."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.db.ids import uuid7
from crm.db.network_field import NetworkField


class IpBlockQuerySet(models.QuerySet[Any]):
    """Reads of blocks."""

    def active(self) -> Self:
        """Keep blocks that are in force."""
        return self.filter(Q(blocked_until=None) | Q(blocked_until__gt=timezone.now()))

    def over(self) -> Self:
        """Keep blocks whose time is over."""
        return self.filter(blocked_until__lte=timezone.now())


class IpBlock(models.Model):
    """A network whose requests are refused until a time; without one, until it is lifted.

    Written by security.ip_blocks.services alone, which refuses what must not be blocked.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    network = NetworkField(unique=True)
    reason = models.CharField(max_length=200, blank=True)
    blocked_until = models.DateTimeField(null=True, blank=True)
    # A member of staff, a command, or the rule that did it.
    blocked_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = IpBlockQuerySet.as_manager()

    class Meta:
        verbose_name = "blocked address"
        verbose_name_plural = "blocked addresses"
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index("blocked_until", name="security_ipblock_until_idx")
        ]

    def __str__(self) -> str:
        return str(self.network)

    @property
    def is_active(self) -> bool:
        """Tell whether the block is in force."""
        return self.blocked_until is None or self.blocked_until > timezone.now()

    @property
    def end(self) -> str:
        """When the block ends, as commands and events say it."""
        if self.blocked_until is None:
            return "until it is lifted"
        return f"until {self.blocked_until:%Y-%m-%d %H:%M:%S} UTC"
