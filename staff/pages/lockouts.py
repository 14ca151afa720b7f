"""Failed sign-ins, as the guard counts them, and the locks that they made."""

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.db.models import Case, CharField, F, OuterRef, Subquery, UUIDField, When
from django.db.models.functions import Cast, Coalesce, Substr
from django.http import HttpRequest

from accounts.guards.password_check import unlock_counter
from accounts.models import Device, Lockout
from accounts.models.lockout import OF_DEVICE
from security.admin.pages import ReadOnlyPage, is_superuser


class CounterPage(ReadOnlyPage):
    """Rows under the name of a counter; to delete one unlocks the account."""

    counter_field = ""

    def get_queryset(self, request: HttpRequest) -> Any:
        """Add the account: the address that was tried, or that of a known device's owner."""
        name = self.counter_field
        device_id = Cast(Substr(OuterRef(name), len(OF_DEVICE) + 1), UUIDField())
        owner = Subquery(Device.objects.filter(pk=device_id).values("user__email"))
        # The id is read only where there is one: CASE does not look at the other branch.
        of_device = Case(
            When(**{f"{name}__startswith": OF_DEVICE}, then=owner), output_field=CharField()
        )
        return super().get_queryset(request).annotate(account=Coalesce(of_device, F(name)))

    @admin.display(description="account")
    def account(self, row: Any) -> str:
        """Return whose counter it is."""
        return str(row.account)

    @admin.display(boolean=True, description="known device")
    def of_known_device(self, row: Any) -> bool:
        """Tell whether it counts for one device of the owner's and not for strangers."""
        return str(getattr(row, self.counter_field)).startswith(OF_DEVICE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        unlock_counter(getattr(obj, self.counter_field))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for name in queryset.values_list(self.counter_field, flat=True).distinct():
            unlock_counter(name)


@admin.register(AccessAttempt)
class FailurePage(CounterPage):
    """Look at failures."""

    counter_field = "username"
    list_display = (
        "account",
        "of_known_device",
        "ip_address",
        "failures_since_start",
        "attempt_time",
        "path_info",
    )
    list_filter = ("path_info",)
    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"
    ordering = ("-attempt_time",)
    # What was typed into the form stays out of sight; people put passwords into wrong fields.
    fields = (*list_display, "user_agent")


@admin.register(Lockout)
class LockPage(CounterPage):
    """Look at locks of the last day."""

    counter_field = "name"
    list_display = ("account", "of_known_device", "lock_count", "locked_at", "locked_until")
    search_fields = ("name",)
    date_hierarchy = "locked_at"
    ordering = ("-locked_at",)
    fields = list_display
