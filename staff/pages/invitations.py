"""Invitations of all teams, for superusers: to look at, and to revoke."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from accounts.models import Invitation, InvitationStatus
from accounts.team.invitations import revoke_invitation
from crm.api.errors import Conflict
from security.admin.door import AllTeamsPage
from security.admin.pages import ReadOnlyPage, is_superuser
from staff.pages.audit_trail import TeamFilter


class StatusFilter(admin.SimpleListFilter):
    """What became of it."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in InvitationStatus.values]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(Invitation)
class InvitationPage(ReadOnlyPage, AllTeamsPage):
    """Who was invited where, and as what. The token is in no page: it is stored nowhere."""

    secret_fields = ("token_hash",)
    list_display = ("email", "team", "role", "status", "invited_by", "created_at", "expires_at")
    list_filter = (StatusFilter, "role", TeamFilter)
    list_select_related = ("team", "invited_by")
    search_fields = ("email", "team__name", "invited_by__email")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    actions = ("revoke_selected",)
    fields = (
        ("email", "team", "role", "status"),
        ("invited_by", "created_at", "sent_at", "expires_at"),
        ("accepted_by", "accepted_at", "revoked_at"),
    )
    readonly_fields = ("status",)

    def get_queryset(self, request: HttpRequest) -> Any:
        invitations: Any = super().get_queryset(request)
        return invitations.as_listed()

    @admin.display(description="status")
    def status(self, invitation: Any) -> str:
        """Return what became of it."""
        return str(invitation.status)

    @admin.action(description="Revoke selected invitations", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: Any) -> None:
        """End invitations that can still be accepted."""
        revoked = 0
        for invitation in queryset.filter(status=InvitationStatus.PENDING).order_by("pk"):
            try:
                revoke_invitation(team_id=invitation.team_id, invitation_id=invitation.pk)
            except Conflict:
                # It was accepted since the list was read.
                continue
            self.log_change(request, invitation, "Revoked.")
            revoked += 1
        self.message_user(request, f"Invitations revoked: {revoked}.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Tell whether the caller may revoke."""
        return is_superuser(request)
