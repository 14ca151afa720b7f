"""Second factors for tests: an authenticator app, and what it shows."""

from typing import Any

from django.utils import timezone
from django_otp.oath import totp

from accounts.factors.second_factor import renew_backup_codes
from accounts.factors.totp import new_seed
from accounts.models import TotpDevice, User
from accounts.tests.calls import sign_in
from conftest import ApiClient

SETUP, CONFIRM = "/v1/auth/2fa/setup", "/v1/auth/2fa/confirm"
VERIFY, DISABLE = "/v1/auth/2fa/verify", "/v1/auth/2fa/disable"
BACKUP_CODES = "/v1/auth/2fa/backup-codes"


class App:
    """An authenticator app that a user has set up, in place of the one before."""

    def __init__(self, user: User, *, confirmed: bool = True) -> None:
        TotpDevice.objects.filter(user=user, confirmed=confirmed).delete()
        seed = new_seed()
        device = TotpDevice(user=user, confirmed=confirmed, confirmed_at=timezone.now())
        device.set_seed(seed)
        device.save()
        self.user, self.seed, self.device = user, seed, device

    def code(self, steps: int = 0) -> str:
        """Return the code of now, or of some steps of 30 seconds later."""
        return code_at(self.seed, steps)

    def wrong_code(self) -> str:
        """Return six digits that are right at no present time."""
        right = {self.code(steps) for steps in range(-2, 3)}
        return next(f"{n:06d}" for n in range(10) if f"{n:06d}" not in right)

    def backup_codes(self) -> list[str]:
        """Return ten new backup codes."""
        return renew_backup_codes(self.user)


def code_at(seed: bytes, steps: int = 0) -> str:
    """Return what an app with the seed shows."""
    return f"{totp(seed, drift=steps):06d}"


def pending_token(client: ApiClient, email: str = "alice@example.com", **fields: Any) -> str:
    """Take the first step of a sign-in; return the token for the second."""
    token: str = sign_in(client, email, **fields).json()["data"]["mfaToken"]
    return token


def verify(client: ApiClient, mfa_token: str, code: str, **fields: object) -> Any:
    """Take the second step."""
    return client.post_json(VERIFY, {"mfaToken": mfa_token, "code": code, **fields})
