"""The form of a team's record in the staff admin."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from records.models import TeamModel

if TYPE_CHECKING:
    RecordModelForm = forms.ModelForm[TeamModel]
else:
    RecordModelForm = forms.ModelForm

CHANGED_MEANWHILE = "Somebody changed this record while the form was open. Load it again."


class RecordForm(RecordModelForm):
    """Fields of a record; a new one is given a team, which it keeps."""

    owning_team: Any = forms.ModelChoiceField(queryset=None, label="Team")
    seen_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_new:
            self._offer_teams()
            del self.fields["seen_at"]
        else:
            del self.fields["owning_team"]
            self.fields["seen_at"].initial = self.instance.updated_at.isoformat()

    @property
    def is_new(self) -> bool:
        """Tell whether the form makes a record."""
        return self.instance._state.adding

    @property
    def team(self) -> Any:
        """The record's team; None while a new record has none."""
        return self.cleaned_data.get("owning_team") if self.is_new else self.instance.team

    def clean(self) -> dict[str, Any] | None:
        """Refuse what another tab overtook, and an assignee from outside the team."""
        cleaned = super().clean()
        # Raised here: what is wrong with a hidden field would not be seen.
        if not self.is_new and "seen_at" in self.changed_data:
            raise forms.ValidationError(CHANGED_MEANWHILE)
        assignee = self.cleaned_data.get("assigned_to")
        is_outside = (
            assignee and self.team and not (self.team.memberships.filter(user=assignee).exists())
        )
        if is_outside:
            self.add_error("assigned_to", f"{assignee} is no member of {self.team}.")
        return cleaned

    def record_values(self) -> dict[str, Any]:
        """Return what the form writes: everything for a new record, else what changed."""
        columns = {field.name for field in self._meta.model._meta.concrete_fields}
        names = self.cleaned_data if self.is_new else self.changed_data
        return {name: self.cleaned_data[name] for name in names if name in columns}

    def _offer_teams(self) -> None:
        field: Any = self.fields["owning_team"]
        field.queryset = apps.get_model("accounts", "Team").objects.all()
        field.widget = AutocompleteSelect(
            self._meta.model._meta.get_field("team"), admin.site, choices=field.choices
        )
