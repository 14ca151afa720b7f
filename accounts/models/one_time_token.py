"""What is mailed to somebody to prove that a mailbox is theirs."""

from django.db import models
from django.utils import timezone

from accounts.models.user import User
from crm.db.ids import uuid7


class TokenPurpose(models.TextChoices):
    """What a token does, and nothing else."""

    VERIFY_EMAIL = "verify_email", "verify the address"
    CHANGE_EMAIL = "change_email", "verify a new address"
    RESET_PASSWORD = "reset_password", "reset the password"


class OneTimeToken(models.Model):
    """The newest token of a user for a purpose. The next one takes its row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=20, choices=TokenPurpose.choices, editable=False)
    email = models.EmailField(max_length=254, editable=False, help_text="Where it was mailed to.")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "purpose"], name="accounts_onetimetoken_newest")
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user_id}"
