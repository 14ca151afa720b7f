"""Which factors a person has, in one query."""

import uuid
from typing import NamedTuple

from django.db import connection

TOTP = "totp"
BACKUP_CODE = "backup_code"
PASSKEY = "passkey"

_LOAD = """
    SELECT (SELECT id FROM accounts_totpdevice WHERE user_id = %(user_id)s AND confirmed),
           (SELECT count(*) FROM accounts_backupcode
             WHERE user_id = %(user_id)s AND used_at IS NULL),
           ARRAY(SELECT id FROM accounts_passkey WHERE user_id = %(user_id)s ORDER BY id)
"""


class Factors(NamedTuple):
    """What a person has set up."""

    totp_id: int | None
    backup_codes_left: int
    passkey_ids: list[uuid.UUID]

    def __bool__(self) -> bool:
        """Tell whether a sign-in needs a second factor. Backup codes alone are none."""
        return self.totp_id is not None or bool(self.passkey_ids)

    @property
    def methods(self) -> list[str]:
        """What the second step of a sign-in may be done with."""
        offered = {
            TOTP: self.totp_id is not None,
            PASSKEY: bool(self.passkey_ids),
            BACKUP_CODE: bool(self and self.backup_codes_left),
        }
        return [method for method, is_there in offered.items() if is_there]

    @property
    def fingerprint(self) -> str:
        """A text that changes whenever a factor is added, removed or replaced."""
        return f"totp:{self.totp_id};passkeys:{','.join(map(str, self.passkey_ids))}"


def factors_of(user_id: uuid.UUID) -> Factors:
    """Return what the user has set up."""
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, {"user_id": user_id})
        return Factors(*cursor.fetchone())
