"""Keys of integrations, and the tables of the modules below."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.db.ids import uuid7
from security.api_keys.models import ApiKeyNotice, ApiKeyUsage
from security.audit.models import AuditEntry, AuditHead, AuditLink, AuditVerification
from security.events.models import SecurityEvent
from security.ip_blocks.models import IpBlock
from security.watching.models import Finding, Watermark

__all__ = [
    "ApiKey",
    "ApiKeyNotice",
    "ApiKeyQuerySet",
    "ApiKeyUsage",
    "AuditEntry",
    "AuditHead",
    "AuditLink",
    "AuditVerification",
    "Finding",
    "IpBlock",
    "SecurityEvent",
    "Watermark",
]


class ApiKeyQuerySet(models.QuerySet[Any]):
    """Reads of API keys."""

    def for_team(self, team_id: Any) -> Self:
        """Keep one team's keys."""
        return self.filter(team_id=team_id)

    def usable(self) -> Self:
        """Keep keys that are neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())


class ApiKey(models.Model):
    """A key of one team, owned by one of its members. Its secret is shown once and never stored.

    It can do what its scopes and its owner's present role both allow.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="api_keys")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    name = models.CharField(max_length=100)
    key_id = models.CharField(max_length=12, unique=True, editable=False)
    pepper_id = models.CharField(max_length=32, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    scopes = models.JSONField(default=dict, blank=True)
    allowed_ips = ArrayField(models.CharField(max_length=49), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    rotated_from = models.OneToOneField(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="rotated_to",
    )

    objects: ClassVar[Any] = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(secret_hash__regex=r"^[0-9a-f]{64}$"),  # noqa: S106 (a pattern)
                name="security_apikey_secret_is_hashed",
            ),
        ]
        indexes = [models.Index("team", "created_at", "id", name="security_apikey_list_idx")]

    def __str__(self) -> str:
        return f"{self.name} ({self.masked})"

    @property
    def masked(self) -> str:
        """The key as lists show it: enough to recognise, nothing to use."""
        return f"crm_{self.key_id}_…{self.last_four}"

    def is_usable(self, now: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked_at is None and self.expires_at > now
