"""Forms that issue and rotate API keys in the staff admin."""

import re
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils import timezone

from accounts.models import Membership
from crm.env import env
from security.access.roles import RECORD_RESOURCES
from security.access.scopes import ALL_RESOURCES, SCOPE_ACTIONS
from security.api_keys.format import KEY_ID_LENGTH, generate_key
from security.api_keys.networks import parse_networks
from security.models import ApiKey

if TYPE_CHECKING:
    ApiKeyModelForm = forms.ModelForm[ApiKey]
else:
    ApiKeyModelForm = forms.ModelForm

SENT_BEFORE = "This form was sent before: its key is in the list. Open a new form for another key."
_KEY_ID = re.compile(rf"[0-9A-Za-z]{{{KEY_ID_LENGTH}}}", re.ASCII)
_SCOPES = [
    f"{resource}:{action}"
    for resource in (ALL_RESOURCES, *RECORD_RESOURCES)
    for action in SCOPE_ACTIONS
]


def new_key_id() -> str:
    """Return the id of the one key that a form may issue."""
    return generate_key().key_id


class IssueKeyForm(ApiKeyModelForm):
    """A new key of a member. The form carries the key's id.

    The id is unique in the database, so a form that is loaded again or sent twice, also in
    parallel, issues one key and shows it once.
    """

    new_id = forms.CharField(widget=forms.HiddenInput, initial=new_key_id)
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in _SCOPES],
        widget=forms.CheckboxSelectMultiple,
        help_text="The key can do what these and its owner's present role both allow.",
    )
    expires_at = forms.SplitDateTimeField(
        required=False,
        widget=AdminSplitDateTime,
        label="Ends",
        help_text=f"UTC. Left empty: {env.api_key_default_expiry.days} days from now.",
    )
    allowed_ips = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "203.0.113.0/24"}),
        label="Allowed networks",
        help_text="One a line. Left empty: every address.",
    )

    class Meta:
        model = ApiKey
        fields = ("team", "owner", "name")

    def clean_scopes(self) -> dict[str, list[str]]:
        """Return resource → actions."""
        scopes: dict[str, list[str]] = defaultdict(list)
        for scope in self.cleaned_data["scopes"]:
            resource, _, action = scope.partition(":")
            scopes[resource].append(action)
        return dict(scopes)

    def clean_allowed_ips(self) -> list[str]:
        """Return the networks in their usual form."""
        try:
            return parse_networks(self.cleaned_data["allowed_ips"].split())
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_expires_at(self) -> Any:
        """Refuse an end in the past."""
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("The end must lie in the future.")
        return expires_at

    def clean(self) -> dict[str, Any] | None:
        """Refuse a form that was sent before, and an owner from outside the team."""
        cleaned = super().clean()
        # Raised here: what is wrong with a hidden field would not be seen.
        new_id = self.cleaned_data.get("new_id", "")
        if not _KEY_ID.fullmatch(new_id) or ApiKey.objects.filter(key_id=new_id).exists():
            raise forms.ValidationError(SENT_BEFORE)
        team, owner = self.cleaned_data.get("team"), self.cleaned_data.get("owner")
        if team and owner:
            members = Membership.objects.filter(team=team, user=owner, is_active=True)
            if not members.exists():
                self.add_error("owner", f"{owner} is no active member of {team}.")
        return cleaned


class RotateKeyForm(forms.Form):
    """How long the old key works beside the new one."""

    overlap = forms.TypedChoiceField(
        label="The old key ends",
        choices=[("0", "at once"), ("1", "in an hour"), ("24", "in a day"), ("168", "in a week")],
        initial="24",
        coerce=lambda hours: timedelta(hours=int(hours)),
    )
