"""Routes under `/v1/auth/`."""

from django.urls import path

from accounts.devices import views as devices
from accounts.factors import views as second_factor
from accounts.mailbox import views as email_addresses
from accounts.passkeys import views as passkeys
from accounts.passwords import views as passwords
from accounts.registration import views as register
from accounts.sessions import views as own_account
from accounts.sign_in import passkey_views as passkey_sign_in
from accounts.sign_in import reauthenticate_views as reauthenticate
from accounts.sign_in import second_step_views as second_step
from accounts.sign_in import views as sign_in
from accounts.team import invitation_views as invitations

urlpatterns = [
    path("login", sign_in.LoginView.as_view(), name="auth-login"),
    path("register", register.RegisterView.as_view(), name="auth-register"),
    path("refresh", sign_in.RefreshView.as_view(), name="auth-refresh"),
    path("logout", sign_in.LogoutView.as_view(), name="auth-logout"),
    path("logout-all", own_account.LogoutAllView.as_view(), name="auth-logout-all"),
    path(
        "reauthenticate",
        reauthenticate.ReauthenticateView.as_view(),
        name="auth-reauthenticate",
    ),
    path(
        "accept-invitation",
        invitations.AcceptInvitationView.as_view(),
        name="auth-accept-invitation",
    ),
    path("2fa", second_factor.FactorsView.as_view(), name="auth-2fa"),
    path("2fa/setup", second_factor.SetUpView.as_view(), name="auth-2fa-setup"),
    path("2fa/confirm", second_factor.ConfirmView.as_view(), name="auth-2fa-confirm"),
    path("2fa/verify", second_step.VerifyFactorView.as_view(), name="auth-2fa-verify"),
    path("2fa/disable", second_factor.DisableView.as_view(), name="auth-2fa-disable"),
    path("2fa/backup-codes", second_factor.BackupCodesView.as_view(), name="auth-2fa-backup-codes"),
    path("passkeys", passkeys.PasskeyListView.as_view(), name="auth-passkeys"),
    path("passkeys/options", passkeys.PasskeyOptionsView.as_view(), name="auth-passkey-options"),
    path("passkeys/<uuid:passkey_id>", passkeys.PasskeyDetailView.as_view(), name="auth-passkey"),
    path(
        "passkeys/login/options",
        passkey_sign_in.PasskeyLoginOptionsView.as_view(),
        name="auth-passkey-login-options",
    ),
    path(
        "passkeys/login/verify",
        passkey_sign_in.PasskeyLoginView.as_view(),
        name="auth-passkey-login",
    ),
    path(
        "passkeys/reauthenticate/options",
        passkeys.ReauthenticateOptionsView.as_view(),
        name="auth-passkey-reauthenticate-options",
    ),
    path("verify-email", email_addresses.VerifyEmailView.as_view(), name="auth-verify-email"),
    path(
        "resend-verification",
        email_addresses.ResendVerificationView.as_view(),
        name="auth-resend-verification",
    ),
    path("email/change", email_addresses.ChangeEmailView.as_view(), name="auth-change-email"),
    path("password/forgot", passwords.ForgotView.as_view(), name="auth-password-forgot"),
    path("password/reset", passwords.ResetView.as_view(), name="auth-password-reset"),
    path("password/change", passwords.ChangeView.as_view(), name="auth-password-change"),
    path("me", own_account.MeView.as_view(), name="auth-me"),
    path("verify", own_account.VerifyView.as_view(), name="auth-verify"),
    path("switch-team", own_account.SwitchTeamView.as_view(), name="auth-switch-team"),
    path("sessions", own_account.SessionListView.as_view(), name="auth-sessions"),
    path(
        "sessions/<uuid:session_id>",
        own_account.SessionDetailView.as_view(),
        name="auth-session",
    ),
    path("devices", devices.DeviceListView.as_view(), name="auth-devices"),
    path("devices/<uuid:device_id>", devices.DeviceDetailView.as_view(), name="auth-device"),
]
