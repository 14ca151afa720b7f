"""What the rules found, and how far they have looked."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone

from crm.db.ids import uuid7


class FindingQuerySet(models.QuerySet[Any]):
    """Reads of findings."""

    def for_team(self, team_id: uuid.UUID) -> Self:
        """Keep one team's findings. Row-level security holds the same rule in the database."""
        return self.filter(team_id=team_id)


class Finding(models.Model):
    """That a rule found something about a subject in an hour: once, whoever finds it again.

    `team_id` is whose admins are told; None for the platform's superusers.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.CharField(max_length=40)
    subject = models.TextField()
    hour = models.DateTimeField(help_text="`happened_at`, cut to the hour.")
    happened_at = models.DateTimeField(help_text="The last of what was counted; a day's begin.")
    team_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    count = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    mailed_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            # SECURITY: what makes event and mail one, also when sixteen workers find it at once.
            models.UniqueConstraint(
                fields=["rule", "subject", "hour", "team_id"],
                name="security_finding_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index("team_id", "mailed_at", name="security_finding_mailed_idx"),
            models.Index(
                "created_at", condition=models.Q(mailed_at=None), name="security_finding_untold_idx"
            ),
            models.Index("created_at", name="security_finding_created_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}"


class Watermark(models.Model):
    """How far a watcher has looked: every transaction before `transaction_id` was finished then."""

    name = models.CharField(max_length=40, primary_key=True)
    transaction_id = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} at {self.transaction_id}"
