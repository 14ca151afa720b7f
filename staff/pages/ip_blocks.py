"""Blocked addresses, for superusers: to look at, to block and to unblock."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from security.admin.pages import StaffPage, is_superuser
from security.ip_blocks.models import IpBlock
from security.ip_blocks.networks import NotBlockable, parse_network, why_not_blockable
from security.ip_blocks.services import block_network, unblock_network
from security.request.client_ip import parse_address
from security.request.context import in_context

if TYPE_CHECKING:
    BlockModelForm = forms.ModelForm[IpBlock]
else:
    BlockModelForm = forms.ModelForm

# Written form → hours; none: until somebody lifts it.
DURATIONS: Final = (
    ("1", "1 hour"),
    ("24", "24 hours"),
    ("168", "7 days"),
    ("720", "30 days"),
    ("", "Until it is lifted"),
)


class NewBlockForm(BlockModelForm):
    """A network, for how long and why. One that is blocked already is blocked longer."""

    network = forms.CharField(
        max_length=49,
        help_text="An address or a network: 203.0.113.7, 203.0.113.0/24, 2001:db8:1:2::/64.",
    )
    hours = forms.ChoiceField(choices=DURATIONS, initial="24", required=False, label="For")

    class Meta:
        model = IpBlock
        fields = ("network", "reason")

    # Where the form's sender works from; the page sets it.
    client_ip = ""

    def clean_network(self) -> str:
        """Refuse what must not be blocked, and what would close the admin to its sender."""
        try:
            network = parse_network(self.cleaned_data["network"])
        except NotBlockable as error:
            raise forms.ValidationError(str(error)) from error
        refusal = why_not_blockable(network)
        address = parse_address(self.client_ip)
        if refusal is None and address is not None and address in network:
            refusal = f"You work from {address}: this would block yourself."
        if refusal is not None:
            raise forms.ValidationError(refusal)
        return str(network)

    def validate_unique(self) -> None:
        """Let a network be blocked again: the service prolongs what stands."""

    @property
    def duration(self) -> timedelta | None:
        """How long to block; None until it is lifted."""
        hours = self.cleaned_data["hours"]
        return timedelta(hours=int(hours)) if hours else None


class StateFilter(admin.SimpleListFilter):
    """Blocks that are in force, and those whose time is over."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "Active"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "active":
            return queryset.active()
        return queryset.over() if self.value() == "over" else queryset


@admin.register(IpBlock)
class IpBlockPage(StaffPage):
    """To add blocks, or blocks longer; to delete lifts a block."""

    form = NewBlockForm
    fields = ("network", "hours", "reason")
    list_display = ("network", "active", "until", "reason", "blocked_by", "created_at")
    list_filter = (StateFilter,)
    search_fields = ("network",)  # As `get_search_results` reads it.
    search_help_text = "An address finds the blocks that hold it; a word, reasons and authors."
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is None else self.list_display

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.client_ip = in_context(request).client_ip
        return form

    @admin.display(boolean=True)
    def active(self, block: IpBlock) -> bool:
        """Tell whether the block is in force."""
        return block.is_active

    @admin.display(
        description="blocked until", ordering="blocked_until", empty_value="it is lifted"
    )
    def until(self, block: IpBlock) -> datetime | None:
        """Return the end of the block."""
        return block.blocked_until

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Find what holds an address, or what somebody wrote."""
        text = search_term.strip()
        try:
            return queryset.filter(network__covers=str(parse_network(text))), False
        except NotBlockable:
            words = Q(reason__icontains=text) | Q(blocked_by__icontains=text)
            return queryset.filter(words), False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user: Any = request.user
        block = block_network(obj.network, by=user.email, reason=obj.reason, duration=form.duration)
        obj.pk, obj.blocked_until = block.pk, block.blocked_until

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        unblock_network(obj.network, by=user.email)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for block in queryset:
            self.delete_model(request, block)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)
