"""What was sent."""

from django.db import models
from django.utils import timezone


class SentMail(models.Model):
    """A mail that went out, so that its job may run twice. It holds no address and no text."""

    key = models.CharField(primary_key=True, max_length=200)
    sent_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.key
