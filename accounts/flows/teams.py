"""Making teams and their members."""

from typing import NamedTuple

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.flows.members import add_member
from accounts.models import Membership, Team, User
from crm.api.errors import ValidationFailed, WeakPassword
from security.identifiers import normalize_email
from security.roles import Role


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
        user = create_user(email=admin_email, password=password)
    membership = add_member(team_id=team.pk, user_id=user.pk, role=Role.ADMIN)
    return NewTeam(team, membership)


def create_user(*, email: str, password: str | None, **fields: str) -> User:
    """Make a user. Raises `ValidationFailed` and `WeakPassword`."""
    address = normalize_email(email)
    try:
        User._meta.get_field("email").clean(address, None)
    except ValidationError as error:
        raise ValidationFailed(f"{email!r} is not an email address.") from error
    user = User(email=address, **fields)
    try:
        validate_password(password or "", user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error
    user.set_password(password)
    user.save()
    return user
