"""`/v1/leads`."""

import uuid
from collections.abc import Mapping, Sequence
from typing import ClassVar

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from clients.serializers import ClientSerializer
from crm.api.envelope import success
from crm.api.errors import AlreadyConverted
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import record, shown
from crm.api.serializers import refuse_body
from leads.filters import LeadFilterSet
from leads.serializers import LeadSerializer
from leads.services import convert_lead
from records.viewsets import RecordViewSet, shown_to
from security.access.permissions import RequiredRight
from security.access.roles import Right


class LeadViewSet(RecordViewSet):
    """The leads of the caller's team."""

    resource = "leads"
    serializer_class = LeadSerializer
    filterset_class = LeadFilterSet
    ordering_fields: ClassVar[Mapping[str, str]] = {
        "createdAt": "created_at",
        "updatedAt": "updated_at",
        "lastName": "last_name",
    }
    required_rights: ClassVar[Mapping[str, Sequence[RequiredRight]]] = {
        "convert": (("leads", Right.EDIT), ("clients", Right.CREATE)),
    }

    @describe(
        data=record(lead=shown(LeadSerializer), client=shown(ClientSerializer)),
        status=201,
        errors=(AlreadyConverted,),
    )
    @action(detail=True, methods=["post"])
    def convert(self, request: Request, pk: uuid.UUID) -> Response:
        """Make a client of the lead, exactly once."""
        refuse_body(request)
        lead, client = convert_lead(actor=self.actor, lead_id=pk)
        body = {
            "lead": self.shown(lead),
            "client": shown_to(self.actor, "clients", ClientSerializer, client),
        }
        return success(body, status=201)
