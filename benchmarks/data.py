"""The benchmark's database: 100,000 clients over 10 teams."""

from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from accounts.factors.totp import new_seed
from accounts.mailbox import one_time_tokens
from accounts.models import Membership, PasswordHistory, Team, TokenPurpose, TotpDevice, User
from accounts.passwords.changes import set_password
from accounts.passwords.history import REMEMBERED
from crm.db.tenancy import team_context
from security.access.roles import Role
from security.api_keys.services import issue_key

CLIENT_COUNT = 100_000
# One team has most of the clients, so that page 3,900 of 25 exists; it is the one measured.
SMALL_TEAM_CLIENTS = 200
TEAM_COUNT = 10
EMAIL = "bench@example.com"
PASSWORD = "Bench-Password-2026!"  # noqa: S105 (of a database made for one run)

# People with an authenticator app. Each signs in once: a code works once.
APP_USERS = 100
# People who forgot their password, with as many remembered as can be. Each link works once.
FORGETFUL_USERS = 100

_INSERT = """
    INSERT INTO clients_client (
        id, team_id, created_by_id, created_at, updated_at, first_name, last_name, email, phone,
        contact_type, status, address, tags, notes)
    SELECT gen_random_uuid(), %s, %s, now() - n * interval '1 minute', now(),
           'First' || n, 'Last' || (n * 7919 %% 100003), 'client' || n || '@example.com',
           '+1 555 0100', 'buyer', 'active',
           '{"line1": "1 Ocean Avenue", "city": "Portland", "postalCode": "04101"}',
           '{relocation,cash}', 'Prefers calls in the morning.'
      FROM generate_series(1, %s) AS n
"""


class BenchTeam(NamedTuple):
    """The team that is measured, the seeds of its members' apps by their addresses, and links."""

    membership: Membership
    api_key: str
    seeds: dict[str, bytes]
    reset_tokens: list[str]


def load() -> BenchTeam:
    """Fill an empty database and return the big team."""
    sizes = [CLIENT_COUNT - SMALL_TEAM_CLIENTS * (TEAM_COUNT - 1)]
    sizes += [SMALL_TEAM_CLIENTS] * (TEAM_COUNT - 1)
    user = User.objects.create_user(EMAIL, PASSWORD, email_verified_at=timezone.now())
    for number, size in enumerate(sizes):
        team = Team.objects.create(name=f"Team {number}")
        Membership.objects.create(team=team, user=user, role=Role.ADMIN)
        with team_context(team.pk), connection.cursor() as cursor:
            cursor.execute(_INSERT, [team.pk, user.pk, size])
    first = Membership.objects.order_by("created_at").select_related("team", "user").first()
    if first is None:
        raise LookupError("no membership")
    written = ""
    for number in range(30):
        written = issue_key(
            team_id=first.team_id,
            owner_id=user.pk,
            name=f"Key {number}",
            scopes={"clients": ["read"]},
        ).written
    seeds = dict(_add_app_user(first, number) for number in range(APP_USERS))
    return BenchTeam(first, written, seeds, _forget_passwords())


def _add_app_user(first: Membership, number: int) -> tuple[str, bytes]:
    """Add a member with an app; return their address and the app's seed."""
    email, seed = f"app{number}@example.com", new_seed()
    user = User.objects.create(
        email=email, password=first.user.password, email_verified_at=timezone.now()
    )
    Membership.objects.create(team=first.team, user=user, role=Role.ADMIN)
    device = TotpDevice(user=user, name="App")
    device.set_seed(seed)
    device.save()
    return email, seed


def _forget_passwords() -> list[str]:
    """Add people who have had many passwords; return the tokens that were mailed to them.

    The hashes of the first are everybody's: made for each, they would take half a minute.
    """
    first = User.objects.create_user("forgetful@example.com", PASSWORD)
    for number in range(REMEMBERED):
        set_password(first, f"{PASSWORD} {number}")
    earlier = list(PasswordHistory.objects.filter(user=first))
    return [_forget_password(first, earlier, number) for number in range(FORGETFUL_USERS)]


def _forget_password(first: User, earlier: list[PasswordHistory], number: int) -> str:
    email = f"forgetful{number}@example.com"
    user = User.objects.create(
        email=email, password=first.password, email_verified_at=timezone.now()
    )
    PasswordHistory.objects.bulk_create(
        PasswordHistory(user=user, password=kept.password, created_at=kept.created_at)
        for kept in earlier
    )
    purpose = TokenPurpose.RESET_PASSWORD
    return one_time_tokens.issue(user_id=user.pk, purpose=purpose, email=email)
