"""The table of security events: partitioned by month, append-only for the application."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Case, F, Value, When

from crm.db.ids import uuid7
from security.request.actors import ActorKind


class SecurityEventQuerySet(models.QuerySet[Any]):
    """Reads of security events."""

    def for_team(self, team_id: uuid.UUID) -> Self:
        """Keep one team's events. Row-level security holds the same rule in the database."""
        return self.filter(team_id=team_id)

    def of_user(self, user_id: uuid.UUID) -> Self:
        """Keep the events about one person, in every team."""
        return self.filter(user_id=user_id)

    def without_staff_details(self) -> Self:
        """Add `shown_*`: where staff and operators work from is none of a team's business."""

        def shown(field: str, empty: Any) -> Case:
            output: Any = SecurityEvent._meta.get_field(field)
            hidden = When(
                actor_kind__in=(ActorKind.STAFF, ActorKind.COMMAND),
                then=Value(empty, output_field=output),
            )
            return Case(hidden, default=F(field), output_field=output)

        return self.annotate(
            shown_ip_address=shown("ip_address", None),
            shown_user_agent=shown("user_agent", ""),
            shown_request_path=shown("request_path", ""),
        )


class SecurityEvent(models.Model):
    """One thing that happened. `user` is whom it is about, the actor who did it.

    People and teams are named by id and label, without foreign keys: an event outlives them.
    The migration writes the table; the primary key there is (id, created_at).
    """

    # SELECT and INSERT, and nothing else (crm.db.grants).
    application_rights = ("SELECT", "INSERT")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField()
    event_type = models.CharField(max_length=40)
    category = models.CharField(max_length=20)
    severity = models.CharField(max_length=10)
    success = models.BooleanField()
    team_id = models.UUIDField(null=True)
    team_name = models.CharField(max_length=120)
    user_id = models.UUIDField(null=True)
    user_email = models.CharField(max_length=254)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=254)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400)
    request_method = models.CharField(max_length=10)
    request_path = models.CharField(max_length=400)
    request_id = models.CharField(max_length=64)
    message = models.CharField(max_length=200)
    metadata = models.JSONField(default=dict)

    objects: ClassVar[Any] = SecurityEventQuerySet.as_manager()

    class Meta:
        db_table = "security_event"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.event_type} at {self.created_at:%Y-%m-%d %H:%M:%S}"
