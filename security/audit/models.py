"""Entries of the audit trail and the chain over them. Triggers write, the sealer links."""

from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone

from crm.db.ids import uuid7


class Action(models.TextChoices):
    """What was done. `DELETE` of a record can be restored, `PURGE` cannot."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RESTORE = "restore"
    CONVERT = "convert"
    REVOKE = "revoke"
    PURGE = "purge"
    # Of the trail itself: old entries that retention took, a person's values that were erased.
    PRUNE = "prune"
    ERASE = "erase"


class AuditQuerySet(models.QuerySet[Any]):
    """Reads of the trail."""

    def for_team(self, team_id: Any) -> Self:
        """Keep one team's entries."""
        return self.filter(team_id=team_id)

    def of_resource(self, resource_type: str, resource_id: Any) -> Self:
        """Keep what happened to one record."""
        return self.filter(resource_type=resource_type, resource_id=resource_id)


class AuditEntry(models.Model):
    """One write of one row. Nothing refers to it and it refers to nothing: it outlives its team.

    Entries are in the order (transaction_id, number).
    """

    # Written by triggers and retention; the application reads.
    application_rights = ("SELECT",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.BigIntegerField(editable=False, help_text="Counted up by the database.")
    team_id = models.UUIDField()
    action = models.CharField(max_length=16, choices=Action.choices)
    resource_type = models.CharField(max_length=40)
    resource_id = models.UUIDField()
    old_values = models.JSONField(null=True)
    new_values = models.JSONField(null=True)
    # Text without bounds: a trigger that fails over a length would refuse the write itself.
    actor_kind = models.TextField()
    actor_id = models.TextField(default="")
    actor_label = models.TextField(default="")
    request_id = models.TextField(default="")
    ip_address = models.TextField(default="")
    created_at = models.DateTimeField()
    transaction_id = models.BigIntegerField(editable=False)

    objects: ClassVar[Any] = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit trail"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index("team_id", "created_at", "id", name="security_audit_list_idx"),
            # No two teams have a row of the same id, and staff look for one without the team.
            models.Index("resource_id", "created_at", "id", name="security_audit_row_idx"),
            models.Index(
                "team_id", "actor_id", "created_at", "id", name="security_audit_actor_idx"
            ),
            models.Index("team_id", "transaction_id", "number", name="security_audit_order_idx"),
            models.Index("team_id", "action", "created_at", "id", name="security_audit_action_idx"),
            models.Index(
                "team_id", "resource_type", "created_at", "id", name="security_audit_type_idx"
            ),
            models.Index(
                "team_id", "actor_kind", "created_at", "id", name="security_audit_kind_idx"
            ),
            # For staff, who read all teams at once.
            models.Index("created_at", "id", name="security_audit_all_idx"),
            models.Index("action", "created_at", "id", name="security_audit_all_action_idx"),
            models.Index("actor_kind", "created_at", "id", name="security_audit_all_kind_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.resource_type} {self.resource_id}"


class AuditLink(models.Model):
    """The place of an entry in its team's chain: an HMAC over the entry and the link before.

    The values enter by a salted digest, so that they can be erased and the chain still proved.
    """

    # Written by the sealer and retention; the application reads.
    application_rights = ("SELECT",)

    entry_id = models.UUIDField(primary_key=True)
    team_id = models.UUIDField()
    position = models.BigIntegerField()
    previous = models.BinaryField()
    hash = models.BinaryField()
    digest = models.BinaryField()
    salt = models.BinaryField(null=True)
    key_id = models.TextField()

    class Meta:
        constraints = [
            # Whatever goes wrong, a chain has no second branch.
            models.UniqueConstraint(fields=["team_id", "position"], name="security_audit_position"),
            models.UniqueConstraint(fields=["team_id", "previous"], name="security_audit_previous"),
        ]

    def __str__(self) -> str:
        return f"{self.team_id} {self.position}"


class AuditHead(models.Model):
    """The signed end of a team's chain, and of what retention took from its beginning."""

    # Written by the sealer and retention; the application reads.
    application_rights = ("SELECT",)

    team_id = models.UUIDField(primary_key=True)
    position = models.BigIntegerField()
    hash = models.BinaryField()
    transaction_id = models.BigIntegerField(help_text="Of the last entry, with `number`.")
    number = models.BigIntegerField()
    pruned_position = models.BigIntegerField(default=0)
    pruned_hash = models.BinaryField()
    key_id = models.TextField()
    signature = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.team_id} at {self.position}"


class AuditVerification(models.Model):
    """What a verification of all chains found: for the security page, and no proof by itself."""

    # Whoever verifies adds what was found; nobody changes it.
    application_rights = ("SELECT", "INSERT")

    verified_at = models.DateTimeField(default=timezone.now, editable=False)
    entries = models.BigIntegerField()
    problems = models.IntegerField()

    class Meta:
        indexes = [models.Index("verified_at", "id", name="security_audit_verified_idx")]

    def __str__(self) -> str:
        return f"{self.entries} entries, {self.problems} problems"
