"""The shape of a security event."""

from collections.abc import Sequence
from typing import Any, ClassVar

from crm.api import fields
from crm.api.serializers import StrictModelSerializer, StrictSerializer
from security.events.models import SecurityEvent


class EventUserSerializer(StrictSerializer):
    """Whom an event is about."""

    id = fields.UUIDField(source="user_id", read_only=True)
    email = fields.CharField(source="user_email", read_only=True)


class SecurityEventSerializer(StrictModelSerializer):
    """An event as its team, or whom it is about, sees it."""

    ip_address = fields.CharField(source="shown_ip_address", read_only=True, allow_null=True)
    user_agent = fields.CharField(source="shown_user_agent", read_only=True)
    request_path = fields.CharField(source="shown_request_path", read_only=True)
    metadata = fields.DictField(read_only=True)
    user = EventUserSerializer(source="*", read_only=True, allow_null=True)

    class Meta:
        model = SecurityEvent
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "event_type",
            "category",
            "severity",
            "success",
            "user",
            "ip_address",
            "user_agent",
            "request_method",
            "request_path",
            "request_id",
            "message",
            "metadata",
            "created_at",
        )
        read_only_fields = fields

    @classmethod
    def row(cls, values: Sequence[Any]) -> dict[str, Any]:
        """Return the answer for one row; `user` is null when the event is about nobody known."""
        answer = super().row(values)
        if answer["user"]["id"] is None:
            answer["user"] = None
        return answer
