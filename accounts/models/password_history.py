"""Passwords that a user had."""

from django.db import models
from django.utils import timezone

from accounts.models.user import User
from crm.db.ids import uuid7


class PasswordHistory(models.Model):
    """The hash of an earlier password; the newest come first."""

    application_rights = ("SELECT", "INSERT", "DELETE")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    password = models.CharField(max_length=128, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "password histories"

    def __str__(self) -> str:
        return f"Password of {self.user_id} until {self.created_at:%Y-%m-%d %H:%M}"
