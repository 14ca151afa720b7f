"""Writes of leads beyond one row."""

import uuid
from typing import Any

from django.utils import timezone

from clients.models import Client, ContactType
from crm.api.errors import AlreadyConverted
from leads.models import Lead, LeadStatus, LeadType
from records import services as records
from security.request.actors import Actor

CONTACT_TYPE_OF_LEAD_TYPE = {
    LeadType.BUYER: ContactType.BUYER,
    LeadType.SELLER: ContactType.SELLER,
    LeadType.RENTER: ContactType.TENANT,
    LeadType.INVESTOR: ContactType.INVESTOR,
    LeadType.OTHER: ContactType.OTHER,
}


def convert_lead(*, actor: Actor, lead_id: uuid.UUID) -> tuple[Lead, Client]:
    """Make a client of a lead, exactly once also when called in parallel.

    The lead's row is locked until the caller's transaction ends. Raises `NotFound`, and
    `AlreadyConverted` with the client's id after the first time.
    """
    lead: Lead = records.lock_record(Lead.objects.present(), team_id=actor.team_id, pk=lead_id)
    if lead.lead_status == LeadStatus.CONVERTED:
        raise AlreadyConverted(details={"clientId": lead.converted_client_id})
    client = records.create_record(actor=actor, model=Client, values=_client_values(lead))
    records.update_record(
        record=lead,
        values={
            "lead_status": LeadStatus.CONVERTED,
            "converted_client": client,
            "converted_at": timezone.now(),
        },
    )
    return lead, client


def _client_values(lead: Lead) -> dict[str, Any]:
    return {
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "email": lead.email,
        "phone": lead.phone,
        "contact_type": CONTACT_TYPE_OF_LEAD_TYPE[LeadType(lead.lead_type)],
        "notes": lead.notes,
        "assigned_to_id": lead.assigned_to_id,
    }
