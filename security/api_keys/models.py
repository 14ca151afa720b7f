"""How often keys are used, by day."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models


class ApiKeyUsageQuerySet(models.QuerySet[Any]):
    """Reads of the usage of keys."""

    def for_team(self, team_id: uuid.UUID) -> Self:
        """Keep the usage of one team's keys. Row-level security holds the same rule."""
        return self.filter(team_id=team_id)


class ApiKeyUsage(models.Model):
    """The calls of one key on one day, in UTC. `security.api_keys.usage` counts them.

    Nothing refers to the key: a count that comes late must not fail because its key is gone.
    """

    api_key_id = models.UUIDField()
    team_id = models.UUIDField()
    day = models.DateField()
    request_count = models.BigIntegerField()
    refused_count = models.BigIntegerField(help_text="Of these, what was answered 401, 403, 429.")

    objects: ClassVar[Any] = ApiKeyUsageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team_id", "api_key_id", "day"], name="security_apikeyusage_day"
            ),
        ]
        indexes = [models.Index("day", name="security_apikeyusage_day_idx")]

    def __str__(self) -> str:
        return f"{self.api_key_id} on {self.day}: {self.request_count}"


class ApiKeyNotice(models.Model):
    """That a key's end, so many days ahead, was told. It holds nothing of the team's."""

    api_key = models.ForeignKey("security.ApiKey", on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    days = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["api_key", "expires_at", "days"], name="security_apikeynotice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.api_key_id}: {self.days} days"
