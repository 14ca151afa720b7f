"""One sign-in of one person, and the family of its refresh tokens."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone

from accounts.models.device import Device
from accounts.models.team import Team
from accounts.models.user import User
from crm.db.ids import uuid7
from crm.env import env


class RevokeReason(models.TextChoices):
    """Why a session ended before its time."""

    LOGOUT = "logout", "signed out"
    LOGOUT_ALL = "logout_all", "signed out everywhere"
    SIGNED_IN_AGAIN = "signed_in_again", "signed in again in the same browser"
    ENDED_BY_USER = "ended_by_user", "ended in the list of sessions"
    DEVICE_REVOKED = "device_revoked", "its device was revoked"
    ENDED_BY_STAFF = "ended_by_staff", "ended by staff"
    FACTOR_CHANGED = "factor_changed", "a factor was added, removed or replaced"
    TOKEN_REUSE = "token_reuse", "a used refresh token came back"
    PASSWORD_CHANGED = "password_changed", "the password was changed"
    MEMBER_DEACTIVATED = "member_deactivated", "deactivated in the team"
    MEMBER_REMOVED = "member_removed", "removed from the team"


class SessionQuerySet(models.QuerySet[Any]):
    """Reads and ends of sessions."""

    def live(self) -> Self:
        """Keep sessions that still give access."""
        now = timezone.now()
        return self.filter(
            revoked_at=None,
            expires_at__gt=now,
            last_seen_at__gt=now - env.session_idle_timeout,
        )

    def revoke(self, reason: RevokeReason) -> int:
        """End the sessions for good; return how many were not ended before."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now(), revoke_reason=reason)


class Session(models.Model):
    """A sign-in. `generation` counts its rotations; no token is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="sessions", help_text="The team it works in."
    )
    device = models.ForeignKey(
        Device,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="sessions",
        help_text="The device that signed in.",
    )
    device_name = models.CharField(max_length=100, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    ip_address = models.GenericIPAddressField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    authenticated_at = models.DateTimeField(
        default=timezone.now,
        editable=False,
        help_text="When its owner last proved who they are; no refresh moves it.",
    )
    expires_at = models.DateTimeField(help_text="The absolute end; no rotation moves it.")
    generation = models.PositiveIntegerField(default=0, editable=False)
    rotated_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoke_reason = models.CharField(
        max_length=20, choices=RevokeReason.choices, blank=True, editable=False
    )

    objects: ClassVar[Any] = SessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                "user", condition=models.Q(revoked_at=None), name="accounts_session_live_idx"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} since {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def refresh_expires_at(self) -> datetime:
        """The end of the current refresh token: never past the session's (v5.0.0-10.4.8)."""
        return min(self.rotated_at + env.jwt_refresh_token_expiry, self.expires_at)


def is_over(
    *, revoked_at: datetime | None, expires_at: datetime, last_seen_at: datetime, now: datetime
) -> bool:
    """Tell whether a session with these times gives no access any more."""
    return (
        revoked_at is not None
        or expires_at <= now
        or last_seen_at + env.session_idle_timeout <= now
    )
