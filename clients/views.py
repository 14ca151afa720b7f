"""`/v1/clients`."""

from collections.abc import Mapping
from typing import ClassVar

from clients.filters import ClientFilterSet
from clients.serializers import ClientSerializer
from records.viewsets import RecordViewSet


class ClientViewSet(RecordViewSet):
    """The clients of the caller's team."""

    resource = "clients"
    serializer_class = ClientSerializer
    filterset_class = ClientFilterSet
    ordering_fields: ClassVar[Mapping[str, str]] = {
        "createdAt": "created_at",
        "updatedAt": "updated_at",
        "lastName": "last_name",
    }
