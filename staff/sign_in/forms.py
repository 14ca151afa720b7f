"""Forms that ask staff for a password. Each asks the one guard, `check_password`."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts.devices.known_devices import sent_tokens
from accounts.guards.password_check import check_credentials, check_password, record_failure
from accounts.passwords.changes import replace_password
from crm.api.errors import InvalidCredentials


class StaffSignInForm(AdminAuthenticationForm):
    """Email and password of a member of staff.

    Counts in the lockout and the address limit of the API. Whatever is wrong, the message is one:
    nobody learns here whose password is right without being staff.
    """

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "Wrong email or password, or not an account of staff.",
    }

    request: HttpRequest

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Judge the password. Raises the guard's refusals, which the site answers."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not email or not password:
            return self.cleaned_data
        tokens = sent_tokens(self.request)
        try:
            user, _device = check_credentials(
                request=self.request, email=email, password=password, tokens=tokens
            )
        except InvalidCredentials as error:
            raise self.get_invalid_login_error() from error
        try:
            self.confirm_login_allowed(user)
        except ValidationError:
            record_failure(user.email, reason="not_staff")
            raise
        # Django's `login` sends `user_logged_in` a second time. Its receivers write the time of
        # the sign-in: as if it were done once. What is still missing: staff.sign_in.stage.
        self.user_cache = user
        return self.cleaned_data


class OwnPasswordForm(AdminPasswordChangeForm):
    """The old password and a new one. A stolen session is no way to guess the old one."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    @sensitive_variables("old_password")
    def clean_old_password(self) -> str:
        """Judge the old password. Raises the guard's refusals, which the site answers."""
        old_password: str = self.cleaned_data["old_password"]
        try:
            check_password(
                request=self.request, email=self.user.get_username(), password=old_password
            )
        except InvalidCredentials as error:
            wrong = self.error_messages["password_incorrect"]
            raise ValidationError(wrong, code="password_incorrect") from error
        return old_password

    def save(self, commit: bool = True) -> Any:
        """Set the new password; every other session ends."""
        replace_password(
            user=self.user,
            password=self.cleaned_data["new_password1"],
            kept_admin_session=self.request.session.session_key,
        )
        return self.user
