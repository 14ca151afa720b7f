"""The tenant: everything a small business keeps belongs to one team."""

from django.db import models
from django.utils import timezone

from crm.db.models import uuid7


class Team(models.Model):
    """A business whose members share clients and leads."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(
        default=True, help_text="Members and keys of an inactive team get no access."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
