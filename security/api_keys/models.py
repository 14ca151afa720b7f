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
