"""Making the demo data, once."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, Team, User
from clients.models import Client
from crm.db.tenancy import team_context
from crm.demo.people import (
    DEMO_TEAMS,
    KEY_NAME,
    KEY_SCOPES,
    SUPERUSER_EMAIL,
    DemoTeam,
    demo_key,
    demo_password,
)
from crm.demo.records import make_records
from security.api_keys.services import issue_key
from security.models import ApiKey


@transaction.atomic
def seed_demo() -> dict[str, Any]:
    """Make what is missing of the demo data and return its sign-ins."""
    if not User.objects.filter(email=SUPERUSER_EMAIL).exists():
        User.objects.create_superuser(SUPERUSER_EMAIL, demo_password(SUPERUSER_EMAIL))
    return {
        "teams": [_seed_team(demo_team) for demo_team in DEMO_TEAMS],
        "superuser": {"email": SUPERUSER_EMAIL, "password": demo_password(SUPERUSER_EMAIL)},
    }


def _seed_team(demo_team: DemoTeam) -> dict[str, Any]:
    team = _team_of(demo_team) or Team.objects.create(name=demo_team.name)
    members = _seed_members(team, demo_team)
    parts = demo_key(demo_team.name)
    if not ApiKey.objects.filter(key_id=parts.key_id).exists():
        issue_key(
            team_id=team.pk,
            owner_id=members[0].user_id,
            name=KEY_NAME,
            scopes=KEY_SCOPES,
            parts=parts,
        )
    with team_context(team.pk, actor_label="manage.py seed_demo"):
        if not Client.objects.for_team(team.pk).exists():
            make_records(team, members)
    return {
        "id": str(team.pk),
        "name": team.name,
        "users": [
            {"email": member.user.email, "password": demo_password(member.user.email)}
            | {"role": member.role}
            for member in members
        ],
        "api_keys": [{"name": KEY_NAME, "key": parts.written, "scopes": KEY_SCOPES}],
    }


def _team_of(demo_team: DemoTeam) -> Team | None:
    """Return the team made before: the one whose first demo admin has a membership in it."""
    admin_email = demo_team.people[0].email(demo_team.domain)
    return Team.objects.filter(name=demo_team.name, memberships__user__email=admin_email).first()


def _seed_members(team: Team, demo_team: DemoTeam) -> list[Membership]:
    members = []
    for person in demo_team.people:
        email = person.email(demo_team.domain)
        user = User.objects.filter(email=email).first() or User.objects.create_user(
            email,
            demo_password(email),
            first_name=person.first_name,
            last_name=person.last_name,
            email_verified_at=timezone.now(),
        )
        membership, _ = Membership.objects.get_or_create(
            team=team, user=user, defaults={"role": person.role}
        )
        members.append(membership)
    return members
