"""The shape of an API key. The secret is in no shape: only issue and rotation answer it."""

from datetime import timedelta
from typing import Any, ClassVar

from rest_framework import serializers

from crm.api import fields
from crm.api.serializers import StrictModelSerializer, StrictSerializer
from crm.env.parsers import duration_or_zero
from security.models import ApiKey


class ApiKeySerializer(StrictModelSerializer):
    """A key as its team's admins see it."""

    scopes = fields.DictField(
        child=fields.ListField(child=fields.CharField(max_length=20), max_length=10)
    )
    allowed_ips = fields.ListField(
        child=fields.CharField(max_length=49), max_length=50, required=False
    )
    expires_at = fields.DateTimeField(required=False)

    class Meta:
        model = ApiKey
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "name",
            "key_id",
            "last_four",
            "scopes",
            "allowed_ips",
            "owner",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
            "rotated_from",
        )
        read_only_fields: ClassVar[tuple[str, ...]] = (
            "id",
            "key_id",
            "last_four",
            "owner",
            "created_at",
            "last_used_at",
            "revoked_at",
            "rotated_from",
        )


class IssuedKeySerializer(ApiKeySerializer):
    """A new key, with what its holder sends. Only the API's description reads this class."""

    key = fields.CharField(read_only=True)

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")


class RotationSerializer(StrictSerializer):
    """`POST /v1/api-keys/{id}/rotate`."""

    overlap = fields.CharField(max_length=7, required=False, default="24h")

    def validate_overlap(self, raw: str) -> timedelta:
        """Return the duration; raises a validation error for anything else."""
        try:
            return duration_or_zero(raw)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


def issued_key_body(api_key: ApiKey, written: str) -> dict[str, Any]:
    """Return a new key with what its holder sends, the only time it is shown."""
    return {**ApiKeySerializer.from_instance(api_key), "key": written}
