"""A person's place in a team."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models import Case, OuterRef, Subquery, Value, When
from django.utils import timezone

from accounts.models.session import Session
from accounts.models.team import Team
from accounts.models.user import User
from crm.db.ids import uuid7
from security.access.roles import Role


class MemberStatus(models.TextChoices):
    """Whether a member gets in; inactive also when staff deactivated the whole account."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Reads of memberships."""

    def for_team(self, team_id: uuid.UUID) -> Self:
        """Keep one team's members."""
        return self.filter(team_id=team_id)

    def active_admins(self) -> Self:
        """Keep those who can manage their team today."""
        return self.filter(role=Role.ADMIN, is_active=True, user__is_active=True)

    def as_listed(self) -> Self:
        """Add `status`, and `last_seen_at` in the team."""
        latest = Session.objects.filter(user=OuterRef("user_id"), team=OuterRef("team_id"))
        return self.annotate(
            status=Case(
                When(is_active=True, user__is_active=True, then=Value(MemberStatus.ACTIVE)),
                default=Value(MemberStatus.INACTIVE),
                output_field=models.CharField(),
            ),
            last_seen_at=Subquery(latest.order_by("-last_seen_at").values("last_seen_at")[:1]),
        )


class Membership(models.Model):
    """A user's role in one team. Removing it ends access with the next request.

    `accounts.team.members` writes it.
    """

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

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            # Composite foreign keys of records (assigned_to) refer to this key.
            models.UniqueConstraint(fields=["team", "user"], name="accounts_membership_team_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} ({self.role})"
