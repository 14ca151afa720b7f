"""The shape of a lead."""

from typing import Any, ClassVar

from rest_framework import serializers

from crm.api.serializers import StrictModelSerializer
from leads.models import Lead, LeadStatus
from records.services import AssigneeField


class LeadSerializer(StrictModelSerializer):
    """A lead as the API takes and shows it."""

    assigned_to = AssigneeField()

    class Meta:
        model = Lead
        fields: ClassVar[tuple[str, ...]] = (
            "id",
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
            "converted_client",
            "converted_at",
            "created_at",
            "updated_at",
            "created_by",
        )
        read_only_fields: ClassVar[tuple[str, ...]] = (
            "id",
            "converted_client",
            "converted_at",
            "created_at",
            "updated_at",
            "created_by",
        )
        extra_kwargs: ClassVar[dict[str, dict[str, int]]] = {
            "budget_min": {"min_value": 0},
            "budget_max": {"min_value": 0},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a budget upside down, and a conversion that is none."""
        low = self._value(attrs, "budget_min")
        high = self._value(attrs, "budget_max")
        if low is not None and high is not None and low > high:
            raise serializers.ValidationError({"budgetMax": ["Must not be below budgetMin."]})
        was_converted = self.instance is not None and (
            self.instance.lead_status == LeadStatus.CONVERTED
        )
        is_converted = self._value(attrs, "lead_status") == LeadStatus.CONVERTED
        if is_converted != was_converted:
            raise serializers.ValidationError(
                {"leadStatus": ["Only POST /v1/leads/{id}/convert converts a lead, for good."]}
            )
        return attrs

    def _value(self, attrs: dict[str, Any], name: str) -> Any:
        return attrs.get(name, getattr(self.instance, name, None))
