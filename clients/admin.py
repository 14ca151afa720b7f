"""The clients of all teams, for superusers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField

from clients.models import Client
from clients.serializers import AddressSerializer, ClientSerializer
from records.admin.forms import RecordForm
from records.admin.pages import RecordPage


class AddressWidget(forms.MultiWidget):
    """One line for each part of an address."""

    template_name = "clients/address_widget.html"

    def __init__(self, parts: list[str]) -> None:
        self.parts = parts
        super().__init__([forms.TextInput({"placeholder": part, "size": 40}) for part in parts])

    def decompress(self, value: Any) -> list[Any]:
        return [(value or {}).get(part, "") for part in self.parts]


class AddressField(forms.MultiValueField):
    """The parts that the API's address has, with its lengths; what is blank stays away."""

    def __init__(self, **kwargs: Any) -> None:
        lengths = {name: field.max_length for name, field in AddressSerializer().fields.items()}  # type: ignore[attr-defined]  # each is a CharField
        self.parts = list(lengths)
        fields = [forms.CharField(max_length=length, required=False) for length in lengths.values()]
        widget = AddressWidget(self.parts)
        super().__init__(fields, require_all_fields=False, widget=widget, **kwargs)

    def compress(self, data_list: list[str]) -> dict[str, str]:
        return {part: text for part, text in zip(self.parts, data_list, strict=False) if text}


def _most_tags() -> int:
    tags: Any = ClientSerializer().fields["tags"]
    return int(tags.max_length)


class ClientForm(RecordForm):
    """A client, with the bounds that the API's serializer sets."""

    address = AddressField(required=False)
    tags = SimpleArrayField(
        forms.CharField(max_length=50),
        max_length=_most_tags(),
        required=False,
        help_text="Separated by commas.",
    )


@admin.register(Client)
class ClientPage(RecordPage):
    """Clients across teams."""

    form = ClientForm
    record_fields = (
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
    )
    list_display = (
        "__str__",
        "team",
        "email",
        "contact_type",
        "status",
        "assigned_to",
        "created_at",
    )
    list_filter = ("contact_type", "status")
