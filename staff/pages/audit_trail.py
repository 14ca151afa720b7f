"""The audit trail of all teams, for superusers: to look at, nothing else."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, Subquery
from django.http import HttpRequest
from django.utils.html import format_html_join

from accounts.models import Team
from security.admin.door import AllTeamsPage
from security.admin.pages import ReadOnlyPage
from security.audit.models import AuditEntry
from security.audit.resources import spoken_values
from security.request.actors import ActorKind
from staff.pages.events import BoundedPaginator

# What finds nothing: no version of UUID looks so.
NO_ID = uuid.UUID(int=0)


def _id_in(text: Any) -> uuid.UUID:
    """Return the id that somebody typed; NO_ID when it is none."""
    try:
        return uuid.UUID(str(text).strip())
    except ValueError:
        return NO_ID


class ActorKindFilter(admin.SimpleListFilter):
    """Who did it, by kind. A filter of Django's own would ask the table for its values."""

    title = "kind of actor"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.value, kind.value.replace("_", " ")) for kind in ActorKind]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(actor_kind=self.value()) if self.value() else queryset


class TeamFilter(admin.SimpleListFilter):
    """One team's entries, also of a team that is gone while its id is in the address."""

    title = "team"
    parameter_name = "team_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(team.pk), team.name) for team in Team.objects.all()[:100]]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(team_id=_id_in(self.value())) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryPage(ReadOnlyPage, AllTeamsPage):
    """What was done, by whom, to what, across teams."""

    list_display = (
        "created_at",
        "team_name",
        "action",
        "resource_type",
        "resource_id",
        "actor_kind",
        "actor_label",
        "ip_address",
    )
    list_filter = (TeamFilter, "created_at", "action", ActorKindFilter)
    search_fields = ("resource_id", "actor_id")
    search_help_text = "The id of a record or of an actor, whole."
    ordering = ("-created_at", "-id")
    paginator = BoundedPaginator
    actions = None
    fields = (
        ("created_at", "team_name", "team_id"),
        ("action", "resource_type", "resource_id"),
        ("actor_kind", "actor_label", "actor_id"),
        ("ip_address", "request_id"),
        "changes",
    )
    readonly_fields = ("team_name", "changes")

    def get_queryset(self, request: HttpRequest) -> Any:
        team = Team.objects.filter(pk=OuterRef("team_id"))
        return super().get_queryset(request).annotate(name_of_team=Subquery(team.values("name")))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Find by a whole id: any other search would read the whole trail."""
        if not search_term.strip():
            return queryset, False
        wanted = _id_in(search_term)
        return queryset.filter(Q(resource_id=wanted) | Q(actor_id=str(wanted))), False

    @admin.display(description="team")
    def team_name(self, entry: Any) -> str | None:
        """Return the team's present name; nothing for a team that is gone."""
        return entry.name_of_team  # type: ignore[no-any-return]  # annotated

    @admin.display(description="changes")
    def changes(self, entry: AuditEntry) -> str:
        """Return each changed field with its old and its new value."""
        old = spoken_values(entry.resource_type, entry.old_values) or {}
        new = spoken_values(entry.resource_type, entry.new_values) or {}
        rows = [(name, old.get(name, "—"), new.get(name, "—")) for name in {**old, **new}]
        return format_html_join("", "<div><b>{}</b>: {} → {}</div>", rows)
