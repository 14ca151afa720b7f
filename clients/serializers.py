"""The shape of a client."""

from typing import Any, ClassVar

from rest_framework import serializers

from clients.models import Client
from crm.api.serializers import StrictModelSerializer, StrictSerializer, camel_case


class AddressSerializer(StrictSerializer):
    """A postal address; what is not known stays away. Stored as it is written."""

    line1 = serializers.CharField(max_length=200, required=False, allow_blank=True)
    line2 = serializers.CharField(max_length=200, required=False, allow_blank=True)
    city = serializers.CharField(max_length=100, required=False, allow_blank=True)
    state = serializers.CharField(max_length=100, required=False, allow_blank=True)
    postal_code = serializers.CharField(max_length=20, required=False, allow_blank=True)
    country = serializers.CharField(max_length=100, required=False, allow_blank=True)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        values = super().to_internal_value(data)
        return {camel_case(name): value for name, value in values.items()}


class ClientSerializer(StrictModelSerializer):
    """A client as the API takes and shows it."""

    address = AddressSerializer(required=False)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=50, required=False
    )

    class Meta:
        model = Client
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "first_name",
            "last_name",
            "email",
            "phone",
            "contact_type",
            "status",
            "address",
            "tags",
            "notes",
            "assigned_to",
            "created_at",
            "updated_at",
            "created_by",
        )
        read_only_fields: ClassVar[tuple[str, ...]] = (
            "id",
            "created_at",
            "updated_at",
            "created_by",
        )
