"""Browsers and apps by which people are known."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from accounts.devices.known_devices import revoke_device
from accounts.models import Device
from security.admin.pages import ReadOnlyPage, is_superuser


class KnownFilter(admin.SimpleListFilter):
    """Devices that are known, and those that were revoked."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("known", "Known"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in {"known", "revoked"}:
            return queryset.filter(revoked_at__isnull=self.value() == "known")
        return queryset


@admin.register(Device)
class DevicePage(ReadOnlyPage):
    """Look at devices and revoke them. What a device holds is not stored, so it is not shown."""

    list_display = (
        "user",
        "name",
        "ip_address",
        "first_seen_at",
        "last_seen_at",
        "is_known",
        "is_trusted",
    )
    list_filter = (KnownFilter,)
    list_select_related = ("user",)
    search_fields = ("user__email", "ip_address", "name")
    date_hierarchy = "first_seen_at"
    actions = ("revoke_selected",)
    secret_fields = ("token_hash", "trust_fingerprint")
    fields = (
        "user",
        "name",
        "user_agent",
        "ip_address",
        "first_seen_at",
        "last_seen_at",
        "trusted_until",
        "revoked_at",
    )

    @admin.display(boolean=True, description="known")
    def is_known(self, device: Device) -> bool:
        """Tell whether strangers' failures do not lock it."""
        return device.revoked_at is None

    @admin.display(boolean=True, description="trusted")
    def is_trusted(self, device: Device) -> bool:
        """Tell whether it needs no second factor."""
        return device.is_trust_running

    @admin.action(description="Revoke selected devices", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: Any) -> None:
        """Make strangers of devices, and end what signed in on them."""
        if not is_superuser(request):
            queryset = queryset.filter(user__is_staff=False, user__is_superuser=False)
        revoked = [
            device
            for device in queryset.order_by("pk")
            if revoke_device(user_id=device.user_id, device_id=device.pk)
        ]
        for device in revoked:
            self.log_change(request, device, "Revoked.")
        self.message_user(request, f"Devices revoked: {len(revoked)}.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Tell whether the member of staff may revoke devices."""
        return bool(request.user.has_perm("accounts.change_device"))
