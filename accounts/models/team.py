"""The tenant: everything a small business keeps belongs to one team."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from crm.db.ids import uuid7


class Team(models.Model):
    """A business whose members share clients and leads."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(
        default=True, help_text="Members and keys of an inactive team get no access."
    )
    password_max_age_days = models.PositiveSmallIntegerField(
        "passwords last (days)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="Older passwords have to be changed before anything else. Empty: they never are.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
