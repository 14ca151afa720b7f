"""The leads of all teams, for superusers."""

from typing import Any

from django import forms
from django.contrib import admin

from leads.models import Lead, LeadStatus
from records.admin.forms import RecordForm
from records.admin.pages import RecordPage


class LeadForm(RecordForm):
    """A lead. Only a conversion makes it converted, for good."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        status: Any = self.fields.get("lead_status")
        if status is None:
            return
        if self.instance.lead_status == LeadStatus.CONVERTED:  # type: ignore[attr-defined]  # a Lead
            status.disabled = True
        else:
            status.choices = [
                choice for choice in status.choices if choice[0] != LeadStatus.CONVERTED
            ]

    def clean(self) -> dict[str, Any] | None:
        """Refuse a budget upside down."""
        cleaned = super().clean()
        low, high = self.cleaned_data.get("budget_min"), self.cleaned_data.get("budget_max")
        if low is not None and high is not None and low > high:
            self.add_error("budget_max", forms.ValidationError("Must not be below the minimum."))
        return cleaned


@admin.register(Lead)
class LeadPage(RecordPage):
    """Leads across teams."""

    form = LeadForm
    record_fields = (
        "first_name",
        "last_name",
        "email",
        "phone",
        "lead_type",
        "lead_status",
        "source",
        "budget_min",
        "budget_max",
        "notes",
        "assigned_to",
    )
    readonly_fields = (*RecordPage.readonly_fields, "converted_client", "converted_at")
    list_display = (
        "__str__",
        "team",
        "email",
        "lead_type",
        "lead_status",
        "assigned_to",
        "created_at",
    )
    list_filter = ("lead_type", "lead_status")
