"""The admin pages of a team's records. A resource derives its page from `RecordPage`."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from records import services as records
from records.admin.filters import DeletedFilter
from records.admin.forms import RecordForm
from security.access.roles import Role
from security.admin.door import AllTeamsPage
from security.request.actors import Actor, ActorKind


class RecordPage(AllTeamsPage):
    """List, add, edit, delete and restore the records of all teams.

    Writes go through `records.services`, as the API's do. `record_fields` are what staff may edit.
    """

    form = RecordForm
    record_fields: ClassVar[Sequence[str]]
    change_form_template = "admin/records/change_form.html"
    autocomplete_fields = ("assigned_to",)
    readonly_fields: ClassVar[tuple[str, ...]] = (
        "team",
        "created_by",
        "created_at",
        "updated_at",
        "deleted_at",
    )
    list_select_related = ("team", "assigned_to")
    search_fields = ("search_text",)
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    actions = ("restore_selected",)

    def get_list_filter(self, request: HttpRequest) -> Any:
        return (DeletedFilter, *super().get_list_filter(request), "team")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("owning_team", *self.record_fields)
        hidden = () if obj.deleted_at else ("seen_at",)
        return ("team", *self.record_fields, *self.readonly_fields[1:], *hidden)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the record, locked when the request may change it."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST":
            return found
        return self.model._default_manager.select_for_update().filter(pk=found.pk).first()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            if values := form.record_values():
                records.update_record(record=obj, values=values)
            return
        actor = staff_actor(request, form.team)
        # The same id, so that what follows in the admin speaks of the record that was made.
        values = {"id": obj.pk, **form.record_values()}
        records.create_record(actor=actor, model=self.model, values=values)
        obj.team = form.team

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_present(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_present(obj) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the records alone: nothing else goes when they are deleted."""
        names = [str(record) for record in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        records.delete_record(record=obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for record in _locked(queryset.present()):
            records.delete_record(record=record)

    @admin.action(description="Restore selected %(verbose_name_plural)s", permissions=["delete"])
    def restore_selected(self, request: HttpRequest, queryset: Any) -> None:
        """Bring deleted records back."""
        restored = _locked(queryset.deleted())
        for record in restored:
            self._restore(request, record)
        self.message_user(request, f"Restored: {len(restored)}.", messages.SUCCESS)

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_restore"
        view = self.admin_site.admin_view(require_POST(self.restore_view))
        own: list[URLPattern] = [path("<path:object_id>/restore/", view, name=name)]
        return own + super().get_urls()

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Bring one deleted record back."""
        return self.open(request, f"restore {object_id}", self._restore_one, object_id)

    def _restore_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        record = self.get_object(request, object_id)
        if record is None:
            raise Http404
        if not super().has_delete_permission(request, record):
            raise PermissionDenied
        self._restore(request, record)
        self.message_user(request, f"Restored {record}.", messages.SUCCESS)
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(page, args=[record.pk]))

    def _restore(self, request: HttpRequest, record: Any) -> None:
        records.restore_record(record=record)
        self.log_change(request, record, "Restored.")


def staff_actor(request: HttpRequest, team: Any) -> Actor:
    """Return a superuser as the actor of a write in one team."""
    user: Any = request.user
    return Actor(
        kind=ActorKind.STAFF,
        id=user.pk,
        label=user.email,
        user_id=user.pk,
        team_id=team.pk,
        team_name=team.name,
        role=Role.ADMIN,
    )


def _is_present(record: Any) -> bool:
    return record is None or record.deleted_at is None


def _locked(queryset: Any) -> list[Any]:
    """Return the rows, locked in one order, so that two calls at once wait for each other."""
    return list(queryset.order_by("pk").select_for_update(of=("self",)))
