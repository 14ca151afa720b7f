"""People and companies that a team does business with."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from records.models import TeamModel, list_index, team_id_key
from records.search import search_text_field


class ContactType(models.TextChoices):
    """What the client is to the team."""

    BUYER = "buyer"
    SELLER = "seller"
    LANDLORD = "landlord"
    TENANT = "tenant"
    INVESTOR = "investor"
    VENDOR = "vendor"
    OTHER = "other"


class ClientStatus(models.TextChoices):
    """Whether the team still works with the client."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ARCHIVED = "archived"


class Client(TeamModel):
    """A person or company that a team does business with."""

    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80, blank=True, default="")
    email = models.EmailField(max_length=254, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    contact_type = models.CharField(
        max_length=16, choices=ContactType.choices, default=ContactType.OTHER
    )
    status = models.CharField(
        max_length=16, choices=ClientStatus.choices, default=ClientStatus.ACTIVE
    )
    address = models.JSONField(default=dict, blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    notes = models.TextField(max_length=10_000, blank=True, default="")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    search_text = search_text_field("first_name", "last_name", "email", "phone")

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [team_id_key("clients_client")]
        indexes: ClassVar[list[models.Index]] = [
            list_index("clients_client", "created_at"),
            list_index("clients_client", "updated_at"),
            list_index("clients_client", "last_name"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
