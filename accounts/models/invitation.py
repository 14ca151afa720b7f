"""Invitations of people into a team, by mail."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils import timezone

from accounts.models.team import Team
from crm.db.ids import uuid7
from security.access.roles import Role

LIFETIME = timedelta(days=7)


class InvitationStatus(models.TextChoices):
    """What became of an invitation."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Reads and ends of invitations."""

    def for_team(self, team_id: uuid.UUID) -> Self:
        """Keep one team's invitations. Row-level security holds the same rule in the database."""
        return self.filter(team_id=team_id)

    def unanswered(self) -> Self:
        """Keep invitations that were neither accepted nor revoked."""
        return self.filter(accepted_at=None, revoked_at=None)

    def pending(self) -> Self:
        """Keep invitations that can be accepted."""
        return self.unanswered().filter(expires_at__gt=timezone.now())

    def revoke(self) -> int:
        """End what is unanswered; return how many were."""
        return self.unanswered().update(revoked_at=timezone.now())

    def as_listed(self) -> Self:
        """Add `status`."""
        return self.annotate(
            status=Case(
                When(accepted_at__isnull=False, then=Value(InvitationStatus.ACCEPTED)),
                When(revoked_at__isnull=False, then=Value(InvitationStatus.REVOKED)),
                When(expires_at__lte=timezone.now(), then=Value(InvitationStatus.EXPIRED)),
                default=Value(InvitationStatus.PENDING),
                output_field=models.CharField(),
            )
        )


class Invitation(models.Model):
    """One address invited into one team, with a role. Its token is in the mail and nowhere else.

    Row-level security shows a team its own, and everybody the one whose token they hold.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", editable=False)
    email = models.EmailField(max_length=254, editable=False)
    role = models.CharField(
        max_length=16,
        choices=[(role.value, role.value.replace("_", " ")) for role in Role],
        editable=False,
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    token_hash = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 (NULL until it is mailed; two empty texts would not be unique)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="accounts_invitation_newest",
            ),
            models.CheckConstraint(
                condition=Q(token_hash=None) | Q(token_hash__regex=r"^[0-9a-f]{64}$"),  # noqa: S106 (a pattern)
                name="accounts_invitation_token_is_hashed",
            ),
        ]
        indexes = [models.Index("team", "created_at", "id", name="accounts_invitation_list_idx")]

    def __str__(self) -> str:
        return f"{self.email} into {self.team}"
