"""Teams and their members."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q
from django.db.models.deletion import get_candidate_relations_to_delete
from django.http import HttpRequest

from accounts.models import Team, User
from accounts.passwords.policy import password_problems
from accounts.team.teams import create_team
from security.admin.door import through_door
from security.admin.pages import StaffPage, is_superuser
from security.identifiers import normalize_email
from staff.pages.memberships import MembershipInline
from staff.sign_in.fresh_proof import FreshProofPage

if TYPE_CHECKING:
    TeamModelForm = forms.ModelForm[Team]
else:
    TeamModelForm = forms.ModelForm


class NewTeamForm(TeamModelForm):
    """A team and its first admin."""

    admin_email = forms.EmailField(max_length=254, help_text="The team's first admin.")
    admin_password = forms.CharField(
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Only for an address that has no account yet.",
    )

    class Meta:
        model = Team
        fields = ("name",)

    def clean(self) -> dict[str, Any] | None:
        """Ask for a password that stands, unless the address has an account."""
        cleaned = super().clean()
        email = normalize_email(self.cleaned_data.get("admin_email") or "")
        if email and not User.objects.filter(email=email).exists():
            problems = password_problems(
                self.cleaned_data["admin_password"],
                user=User(email=email),
                team=self.cleaned_data.get("name", ""),
            )
            for problem in problems:
                self.add_error("admin_password", problem)
        return cleaned


@admin.register(Team)
class TeamPage(FreshProofPage, StaffPage):
    """Businesses. One that stops is made inactive; to delete it takes its records along."""

    list_display = ("name", "member_count", "is_active", "created_at", "id")
    list_filter = ("is_active",)
    search_fields = ("name", "memberships__user__email")
    date_hierarchy = "created_at"
    readonly_fields = ("id", "created_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        members = Count("memberships", filter=Q(memberships__is_active=True), distinct=True)
        return super().get_queryset(request).annotate(active_members=members)

    @admin.display(description="members", ordering="active_members")
    def member_count(self, team: Any) -> int:
        """Return how many active members the team has."""
        return int(team.active_members)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("name", "admin_email", "admin_password")
        return ("name", "is_active", "password_max_age_days", "id", "created_at")

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewTeamForm
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [] if obj is None else [MembershipInline]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = create_team(
            name=form.cleaned_data["name"],
            admin_email=form.cleaned_data["admin_email"],
            password=form.cleaned_data["admin_password"],
        )
        obj.pk = made.team.pk

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Answer the list; a superuser's actions on it reach the teams' records."""
        page = super().changelist_view
        if request.method == "POST" and is_superuser(request):
            return through_door(request, "admin teams: action", page, extra_context)
        return page(request, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Delete through the door: outside it the team's records are neither seen nor deleted."""
        reason = f"admin {request.method} delete team {object_id!r}"
        return through_door(request, reason, super().delete_view, object_id, extra_context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count what goes along instead of naming each of what may be 100,000 records."""
        counts = {str(self.opts.verbose_name_plural): len(objs)}
        # The relations of records are hidden (related_name="+").
        relations: Any = get_candidate_relations_to_delete(self.opts)
        for relation in relations:
            rows = relation.related_model._base_manager.filter(
                **{f"{relation.field.name}__in": objs}
            )
            counts[str(rows.model._meta.verbose_name_plural)] = rows.count()
        return [str(team) for team in objs], counts, set(), []
