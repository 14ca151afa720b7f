"""A person's place in a team."""

from django.db import models
from django.utils import timezone

from accounts.models.team import Team
from accounts.models.user import User
from crm.db.models import uuid7
from security.roles import Role


class Membership(models.Model):
    """A user's role in one team. Removing it ends access with the next request."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(
        max_length=16,
        choices=[(role.value, role.value.replace("_", " ")) for role in Role],
        default=Role.AGENT.value,
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            # Composite foreign keys of records (assigned_to) refer to this key.
            models.UniqueConstraint(fields=["team", "user"], name="accounts_membership_team_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} ({self.role})"
