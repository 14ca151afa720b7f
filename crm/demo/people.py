"""The people of the demo teams, and secrets that are this installation's own.

Passwords and keys are derived from SECRET_KEY: running twice gives the same ones, nothing has to
be stored in clear, and knowing this source opens no installation.
"""

import string
from typing import NamedTuple

from crm.env import env
from crm.env.parsers import derive_secret
from security.access.roles import Role
from security.api_keys.format import KEY_ID_LENGTH, SECRET_LENGTH, ApiKeyParts

_BASE62 = string.digits + string.ascii_letters


class DemoPerson(NamedTuple):
    """A member of a demo team."""

    first_name: str
    last_name: str
    role: Role

    def email(self, domain: str) -> str:
        """Return their address at their team's domain."""
        return f"{self.first_name.lower()}@{domain}"


class DemoTeam(NamedTuple):
    """A demo team and its members, one for each role."""

    name: str
    domain: str
    people: tuple[DemoPerson, ...]


DEMO_TEAMS = (
    DemoTeam(
        "Harbor Realty",
        "harbor.example",
        (
            DemoPerson("Alice", "Moreno", Role.ADMIN),
            DemoPerson("Marcus", "Webb", Role.MANAGER),
            DemoPerson("Bob", "Castellano", Role.AGENT),
            DemoPerson("Dora", "Lindqvist", Role.DATA_ENTRY),
        ),
    ),
    DemoTeam(
        "Summit Homes",
        "summit.example",
        (
            DemoPerson("Sofia", "Brandt", Role.ADMIN),
            DemoPerson("Miguel", "Okafor", Role.MANAGER),
            DemoPerson("Amara", "Nilsson", Role.AGENT),
            DemoPerson("Dmitri", "Hale", Role.DATA_ENTRY),
        ),
    ),
)
SUPERUSER_EMAIL = "staff@crm.example"
KEY_NAME = "Website contact form"
KEY_SCOPES = {"clients": ["read", "write"], "leads": ["read", "write"]}


def demo_password(email: str) -> str:
    """Return the password of a demo account: 20 characters of every class."""
    return f"Demo-{derive_secret(env.secret_key, purpose=f'demo-password:{email}')[:14]}!"


def demo_key(team_name: str) -> ApiKeyParts:
    """Return the API key of a demo team."""
    return ApiKeyParts(
        key_id=_base62(f"demo-key-id:{team_name}", KEY_ID_LENGTH),
        secret=_base62(f"demo-key-secret:{team_name}", SECRET_LENGTH),
    )


def _base62(purpose: str, length: int) -> str:
    number, text = int(derive_secret(env.secret_key, purpose=purpose), 16), ""
    for _ in range(length):
        number, digit = divmod(number, len(_BASE62))
        text += _BASE62[digit]
    return text
