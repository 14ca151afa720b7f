"""Forms by which staff prove who they are, beyond the sign-in form."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts.devices.known_devices import find_known_device, sent_tokens
from accounts.devices.trust import device_with_own_count
from accounts.factors.serializers import NO_CODE
from accounts.factors.state import PASSKEY, factors_of
from accounts.guards.code_check import WRONG_CODE, check_code, is_code
from accounts.guards.passkey_proof import check_passkey
from accounts.guards.password_check import check_password
from accounts.models import ChallengePurpose
from crm.api.errors import InvalidCredentials
from staff.sign_in.passkeys import credential_of
from staff.sign_in.stage import signed_in_user


class AppCodeForm(forms.Form):
    """A code that is not judged here."""

    code = forms.CharField(
        max_length=19,
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )

    def clean_code(self) -> str:
        """Refuse what is no code, before anything judges it."""
        code: str = self.cleaned_data["code"]
        if not is_code(code):
            raise ValidationError(NO_CODE)
        return code


class CodeForm(AppCodeForm):
    """A code of one's authenticator app, or a backup code. Raises the guard's refusals."""

    def __init__(self, *args: Any, request: HttpRequest) -> None:
        self.request, self.method = request, ""
        super().__init__(*args)

    def clean_code(self) -> str:
        """Use the code up."""
        code = super().clean_code()
        user = signed_in_user(self.request)
        device = find_known_device(email=user.email, tokens=sent_tokens(self.request))
        factors = factors_of(user.pk).fingerprint
        source = device_with_own_count(user=user, device=device, factors=factors)
        try:
            self.method = check_code(user=user, code=code, team_id=None, source=source)
        except InvalidCredentials as error:
            raise ValidationError(WRONG_CODE) from error
        return code


class PasskeyForm(forms.Form):
    """What the browser answered for one of one's passkeys."""

    credential = forms.CharField(max_length=20_000, widget=forms.HiddenInput)
    method = PASSKEY

    def __init__(self, *args: Any, request: HttpRequest) -> None:
        self.request = request
        super().__init__(*args)

    def clean(self) -> dict[str, Any]:
        """Take the challenge and judge the answer."""
        try:
            check_passkey(
                credential=credential_of(self.request),
                purpose=ChallengePurpose.SECOND_STEP,
                user_id=signed_in_user(self.request).pk,
            )
        except InvalidCredentials as error:
            raise ValidationError(error.message) from error
        return self.cleaned_data


class PasswordForm(forms.Form):
    """One's password, again. Raises the guard's refusals."""

    password = forms.CharField(
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    method = "password"

    def __init__(self, *args: Any, request: HttpRequest) -> None:
        self.request = request
        super().__init__(*args)

    @sensitive_variables("password")
    def clean_password(self) -> str:
        """Judge the password."""
        password: str = self.cleaned_data["password"]
        try:
            email = self.request.user.get_username()
            check_password(request=self.request, email=email, password=password)
        except InvalidCredentials as error:
            raise ValidationError("Wrong password.") from error
        return password
