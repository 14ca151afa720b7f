"""Writes of team records. API, admin and commands use these, so that a rule holds everywhere."""

import uuid
from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import IntegrityError
from django.utils import timezone

from crm.api import fields
from crm.api.errors import NotFound, ValidationFailed
from records.models import TeamModel, TeamQuerySet
from security.request.actors import Actor

Record = TypeVar("Record", bound=TeamModel)


class AssigneeField(fields.UUIDField):
    """The member who looks after a record, by user id; the composite key refuses another team's.

    No query asks beforehand: the database sees every row, also one that is made meanwhile.
    """

    def __init__(self, **kwargs: Any) -> None:
        options = {"source": "assigned_to_id", "default": None, "allow_null": True}
        super().__init__(**(options | kwargs))


# The composite key that holds an assignee to the team, by the suffix of its name (TeamForeignKey).
ASSIGNEE_CONSTRAINT = "assigned_to_id_team_fk"


def create_record(*, actor: Actor, model: type[Record], values: Mapping[str, Any]) -> Record:
    """Insert a record of the actor's team. Raises `ValidationFailed` for a foreign assignee."""
    record = model(team_id=actor.team_id, created_by_id=actor.user_id, **values)
    _write(record, force_insert=True)
    return record


def update_record(*, record: TeamModel, values: Mapping[str, Any]) -> None:
    """Change the fields of a locked record. Raises `ValidationFailed` for a foreign assignee."""
    for name, value in values.items():
        setattr(record, name, value)
    _write(record, update_fields=[*values, "updated_at"])


def delete_record(*, record: TeamModel) -> None:
    """Take a record out of every list; `restore_record` brings it back."""
    record.deleted_at = timezone.now()
    record.save(update_fields=["deleted_at", "updated_at"])


def restore_record(*, record: TeamModel) -> None:
    """Bring a deleted record back; nothing happens to one that is not deleted."""
    record.deleted_at = None
    record.save(update_fields=["deleted_at", "updated_at"])


def purge_record(*, record: TeamModel) -> None:
    """Delete a record for good."""
    record.delete()


def lock_record(queryset: TeamQuerySet, *, team_id: uuid.UUID, pk: uuid.UUID) -> Any:
    """Return one record of the team, locked until the transaction ends; raises `NotFound`."""
    record = queryset.for_team(team_id).select_for_update().filter(pk=pk).first()
    if record is None:
        raise NotFound
    return record


def _write(record: TeamModel, **options: Any) -> None:
    try:
        record.save(**options)
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        if not constraint.endswith(ASSIGNEE_CONSTRAINT):
            raise
        raise ValidationFailed(
            details={"assignedTo": ["No member of your team has this id."]}
        ) from error
