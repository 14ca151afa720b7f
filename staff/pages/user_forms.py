"""Forms of users in the staff admin."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm

from accounts.models import User
from accounts.passwords.changes import replace_password

if TYPE_CHECKING:
    UserModelForm = forms.ModelForm[User]
    UserCreationForm = AdminUserCreationForm[User]
    SetPasswordForm = AdminPasswordChangeForm[User]
else:
    UserModelForm = forms.ModelForm
    UserCreationForm = AdminUserCreationForm
    SetPasswordForm = AdminPasswordChangeForm


class NewUserForm(UserCreationForm):
    """A user with a password, or with none until it is reset."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")


class UserForm(UserModelForm):
    """A user without the password: it has a page of its own, and its hash is shown nowhere."""

    class Meta:
        model = User
        fields = (
            "email",
            "first_name",
            "last_name",
            "is_active",
            "is_staff",
            "is_superuser",
            "user_permissions",
        )

    def loses_access(self) -> bool:
        """Tell whether the change takes access away that a live session may still use."""
        rights = ("is_active", "is_staff", "is_superuser")
        return any(name in self.changed_data and not self.cleaned_data[name] for name in rights)


class StaffSetPasswordForm(SetPasswordForm):
    """A new password for somebody else; all of their sessions end."""

    def save(self, commit: bool = True) -> Any:
        password = (
            self.cleaned_data["password1"] if self.cleaned_data["set_usable_password"] else None
        )
        replace_password(user=self.user, password=password)
        return self.user
