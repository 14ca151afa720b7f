"""The shape of a client."""

from typing import ClassVar

from clients.models import Client
from crm.api import fields
from crm.api.serializers import DocumentSerializer, StrictModelSerializer
from records.services import AssigneeField


class AddressSerializer(DocumentSerializer):
    """A postal address; what is not known stays away."""

    line1 = fields.CharField(max_length=200, required=False, allow_blank=True)
    line2 = fields.CharField(max_length=200, required=False, allow_blank=True)
    city = fields.CharField(max_length=100, required=False, allow_blank=True)
    state = fields.CharField(max_length=100, required=False, allow_blank=True)
    postal_code = fields.CharField(max_length=20, required=False, allow_blank=True)
    country = fields.CharField(max_length=100, required=False, allow_blank=True)


class ClientSerializer(StrictModelSerializer):
    """A client as the API takes and shows it."""

    address = AddressSerializer(default=dict)
    tags = fields.ListField(child=fields.CharField(max_length=50), max_length=50, default=list)
    assigned_to = AssigneeField()

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
