"""What every record of a team has in common."""

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from crm.db.ids import uuid7


class TeamQuerySet(models.QuerySet[Any]):
    """Reads of a team's records."""

    def for_team(self, team_id: uuid.UUID) -> Self:
        """Keep one team's rows. Row-level security holds the same rule in the database."""
        return self.filter(team_id=team_id)

    def present(self) -> Self:
        """Keep rows that are not deleted."""
        return self.filter(deleted_at=None)

    def deleted(self) -> Self:
        """Keep rows that were deleted and can be restored."""
        return self.exclude(deleted_at=None)


class TeamModel(models.Model):
    """A record that belongs to one team. Its migration adds `TeamIsolation` (crm.db.operations)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(
        "accounts.Team", on_delete=models.CASCADE, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = TeamQuerySet.as_manager()

    class Meta:
        abstract = True


def team_id_key(table: str) -> models.UniqueConstraint:
    """Return the key that composite foreign keys (team_id, id) refer to."""
    return models.UniqueConstraint(fields=["team", "id"], name=f"{table}_team_id_key")


def list_index(table: str, column: str) -> models.Index:
    """Return the index behind a keyset page of a team's rows ordered by `column`, both ways."""
    return models.Index(
        "team", column, "id", condition=models.Q(deleted_at=None), name=f"{table}_{column}_idx"
    )
