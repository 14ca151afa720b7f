"""People who may become clients."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from clients.models import Client
from records.models import TeamModel, list_index, team_id_key
from records.search import search_text_field


class LeadType(models.TextChoices):
    """What the lead is interested in."""

    BUYER = "buyer"
    SELLER = "seller"
    RENTER = "renter"
    INVESTOR = "investor"
    OTHER = "other"


class LeadStatus(models.TextChoices):
    """How far the team is with the lead. Only a conversion sets `CONVERTED`."""

    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    UNQUALIFIED = "unqualified"
    CONVERTED = "converted"
    LOST = "lost"


class Lead(TeamModel):
    """A person who may become a client."""

    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80, blank=True, default="")
    email = models.EmailField(max_length=254, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    lead_type = models.CharField(max_length=16, choices=LeadType.choices, default=LeadType.OTHER)
    lead_status = models.CharField(
        max_length=16, choices=LeadStatus.choices, default=LeadStatus.NEW
    )
    source = models.CharField(max_length=80, blank=True, default="")
    budget_min = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    budget_max = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    notes = models.TextField(max_length=10_000, blank=True, default="")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    # The composite key of the migration holds the link within the team.
    converted_client = models.OneToOneField(
        Client,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_constraint=False,
        related_name="converted_lead",
    )
    converted_at = models.DateTimeField(null=True, blank=True, editable=False)
    search_text = search_text_field("first_name", "last_name", "email", "phone", "source")

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [team_id_key("leads_lead")]
        indexes: ClassVar[list[models.Index]] = [
            list_index("leads_lead", "created_at"),
            list_index("leads_lead", "updated_at"),
            list_index("leads_lead", "last_name"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
