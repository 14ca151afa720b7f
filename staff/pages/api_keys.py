"""API keys of all teams: look, issue, rotate, revoke. A secret is shown once and kept nowhere."""

from typing import Any

from django.contrib import admin
from django.db import IntegrityError
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import Membership
from accounts.team.keys import issue_key_for_member
from crm.api.errors import Conflict
from security.admin.pages import is_superuser
from security.api_keys.format import ApiKeyParts, generate_key
from security.models import ApiKey
from staff.pages.api_key_actions import ApiKeyActions
from staff.pages.api_key_filters import ENDS_SOON, KeyStateFilter, LastUsedFilter
from staff.pages.api_key_forms import SENT_BEFORE, IssueKeyForm
from staff.sign_in.fresh_proof import ask_for_proof

NO_MEMBER = "refused: owner is no member"
SHOWN_FIELDS = (
    "name",
    "masked",
    "team",
    "owner",
    "owner_role",
    "state",
    "scope_list",
    "network_list",
    "created_at",
    "expires_at",
    "last_used_at",
    "revoked_at",
    "rotated_from",
)


@admin.register(ApiKey)
class ApiKeyPage(ApiKeyActions):
    """Those with the permission look and revoke; superusers issue and rotate."""

    form = IssueKeyForm
    change_form_template = "admin/security/apikey/change_form.html"
    secret_fields = ("secret_hash", "pepper_id")
    list_display = (
        "name",
        "masked",
        "team",
        "owner",
        "state",
        "expires_at",
        "last_used_at",
    )
    list_filter = (
        KeyStateFilter,
        LastUsedFilter,
        ("team", admin.RelatedOnlyFieldListFilter),
        ("owner", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("team", "owner")
    search_fields = ("name", "key_id", "owner__email", "team__name")
    autocomplete_fields = ("team", "owner")
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> Any:
        membership = Membership.objects.filter(
            team=OuterRef("team"), user=OuterRef("owner"), is_active=True, team__is_active=True
        )
        keys = super().get_queryset(request).defer("secret_hash", "pepper_id")
        return keys.annotate(role=Subquery(membership.values("role")))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None:
            return SHOWN_FIELDS
        return ("team", "owner", "name", "scopes", "expires_at", "allowed_ips", "new_id")

    @admin.display(description="key")
    def masked(self, key: ApiKey) -> str:
        """Return what identifies the key."""
        return key.masked

    @admin.display(description="owner's role")
    def owner_role(self, key: Any) -> str:
        """Return the owner's present role, without which the key does nothing."""
        return key.role or NO_MEMBER

    @admin.display(description="state")
    def state(self, key: Any) -> str:
        """Return whether the key works, and how much longer."""
        now = timezone.now()
        if key.revoked_at is not None:
            return "revoked"
        if key.expires_at <= now:
            return "expired"
        if key.role is None:
            return NO_MEMBER
        return "ends soon" if key.expires_at < now + ENDS_SOON else "usable"

    @admin.display(description="scopes")
    def scope_list(self, key: ApiKey) -> str:
        """Return the scopes in one line."""
        return "; ".join(f"{name}: {', '.join(rights)}" for name, rights in key.scopes.items())

    @admin.display(description="allowed networks")
    def network_list(self, key: ApiKey) -> str:
        """Return the networks in one line."""
        return ", ".join(key.allowed_ips) or "every address"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Issue a key. The answer to the form shows it, and nothing shows it again."""
        if to_proof := ask_for_proof(request, also_to_look=True):
            return to_proof
        context = {
            "title": "Issue an API key",
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            **(extra_context or {}),
        }
        try:
            return super().add_view(request, form_url, context)
        except IntegrityError as error:
            if "key_id" not in str(error):
                raise
            raise Conflict(SENT_BEFORE) from error

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        values = form.cleaned_data
        issued = issue_key_for_member(
            team_id=obj.team_id,
            owner_email=obj.owner.email,
            name=values["name"],
            scopes=values["scopes"],
            expires_at=values["expires_at"],
            allowed_ips=values["allowed_ips"],
            parts=ApiKeyParts(key_id=values["new_id"], secret=generate_key().secret),
        )
        key = issued.api_key
        obj.pk, obj.key_id, obj.last_four = key.pk, key.key_id, key.last_four
        request.issued_key = issued

    def response_add(self, request: Any, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self.show_once(request, request.issued_key)
