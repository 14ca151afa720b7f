"""The shape of an audit entry."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework import serializers

from crm.api import fields, json
from crm.api.schema.json_schema import STRING, Schema, mapping, nullable
from crm.api.serializers import StrictModelSerializer, StrictSerializer
from security.audit.models import AuditEntry
from security.audit.resources import spoken_values


class _KnownOrNull(fields.CharField):
    """Text that is null when it is not known, as outside of requests."""

    json_schema: ClassVar[Schema] = nullable(STRING)


class _Values(serializers.JSONField):
    """Fields and values, under the names that the record has in the API."""

    json_schema: ClassVar[Schema] = nullable(mapping({}))


class ActorSerializer(StrictSerializer):
    """Who did it, by id and by the name of that time."""

    kind = fields.CharField(source="actor_kind", read_only=True)
    id = _KnownOrNull(source="actor_id", read_only=True)
    label = fields.CharField(source="actor_label", read_only=True)  # type: ignore[assignment]  # DRF's fields have an attribute of this name


class AuditEntrySerializer(StrictModelSerializer):
    """An entry: what was done to which record, and the fields that changed."""

    actor = ActorSerializer(source="*", read_only=True)
    old_values = _Values(read_only=True)
    new_values = _Values(read_only=True)
    ip_address = _KnownOrNull(read_only=True)
    request_id = _KnownOrNull(read_only=True)

    class Meta:
        model = AuditEntry
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "action",
            "resource_type",
            "resource_id",
            "actor",
            "old_values",
            "new_values",
            "ip_address",
            "request_id",
            "created_at",
        )
        read_only_fields = fields

    @classmethod
    def row(cls, values: Sequence[Any]) -> dict[str, Any]:
        """Return the answer for one row, its values under the API's names."""
        answer = super().row(values)
        for name in ("oldValues", "newValues"):
            stored = answer[name]
            if isinstance(stored, str):
                stored = json.loads(stored.encode())
            answer[name] = spoken_values(answer["resourceType"], stored)
        for name in ("ipAddress", "requestId"):
            answer[name] = answer[name] or None
        answer["actor"]["id"] = answer["actor"]["id"] or None
        return answer
