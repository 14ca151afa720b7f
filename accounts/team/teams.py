"""Making teams and their members."""

from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, Team, User
from accounts.passwords.changes import set_password
from accounts.passwords.policy import require_strong_password
from accounts.team.members import add_member
from crm.api.errors import ValidationFailed
from security.access.roles import Role
from security.identifiers import normalize_email


class NewTeam(NamedTuple):
    """A team and its first admin."""

    team: Team
    membership: Membership


@transaction.atomic
def create_team(*, name: str, admin_email: str, password: str | None) -> NewTeam:
    """Make a team with its first admin; a known address becomes its admin and keeps its password.

    Raises `ValidationFailed` for a bad name or address and `WeakPassword` for a bad password.
    """
    if not name.strip() or len(name) > 120:
        raise ValidationFailed("The team's name must have 1 to 120 characters.")
    team = Team.objects.create(name=name.strip())
    user = User.objects.filter(email=normalize_email(admin_email)).first()
    if user is None:
        user = create_user(
            email=admin_email, password=password, team=name, email_verified_at=timezone.now()
        )
    membership = add_member(team_id=team.pk, user_id=user.pk, role=Role.ADMIN)
    return NewTeam(team, membership)


def create_user(*, email: str, password: str | None, team: str = "", **fields: object) -> User:
    """Make a user. Raises `ValidationFailed` and `WeakPassword`.

    `team` is the name of the team that is about to be theirs: no password is made of it. Whoever
    vouches for the address sets `email_verified_at`; it counts as unverified otherwise.
    """
    address = normalize_email(email)
    try:
        User._meta.get_field("email").clean(address, None)
    except ValidationError as error:
        raise ValidationFailed(f"{email!r} is not an email address.") from error
    user = User(email=address, **fields)
    require_strong_password(password, user=user, team=team)
    set_password(user, password)
    return user
