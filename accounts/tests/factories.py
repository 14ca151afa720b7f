"""Small makers of people for tests."""

import secrets
from datetime import timedelta
from functools import cache

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.devices.tokens import DeviceToken, new_token
from accounts.mailbox import one_time_tokens
from accounts.models import (
    Device,
    Invitation,
    Membership,
    Passkey,
    Session,
    Team,
    User,
)
from accounts.sessions.tokens import AccessToken
from crm.db.tenancy import team_context
from security.access.roles import Role

PASSWORD = "Correct-Horse-Battery-9"


@cache
def password_hash() -> str:
    """Return a hash of `PASSWORD`, made once for the whole run."""
    return make_password(PASSWORD)


def make_team(name: str = "Team") -> Team:
    """Return a new team."""
    return Team.objects.create(name=name)


def make_user(email: str, **fields: object) -> User:
    """Return a user whose password is `PASSWORD`."""
    values = {"password": password_hash(), "email_verified_at": timezone.now(), **fields}
    return User.objects.create(email=email, **values)


def make_member(team: Team, email: str, role: Role = Role.AGENT) -> Membership:
    """Return a new user's membership in the team."""
    name = email.partition("@")[0].capitalize()
    user = make_user(email, first_name=name, last_name="Example")
    return Membership.objects.create(team=team, user=user, role=role)


def make_invitation(
    inviter: Membership, email: str, role: Role = Role.AGENT, **fields: object
) -> tuple[Invitation, str]:
    """Return an invitation into the inviter's team as its mail leaves it, and the mailed token."""
    raw_token, token_hash = one_time_tokens.new_token()
    values: dict[str, object] = {
        "email": email,
        "role": role,
        "invited_by": inviter.user,
        "token_hash": token_hash,
        "sent_at": timezone.now(),
        "expires_at": timezone.now() + timedelta(days=7),
    }
    with team_context(inviter.team_id):
        return Invitation.objects.create(team=inviter.team, **(values | fields)), raw_token


def open_session(membership: Membership, **fields: object) -> Session:
    """Return a session of the member, as a sign-in leaves it."""
    values: dict[str, object] = {
        "user": membership.user,
        "team": membership.team,
        "ip_address": "127.0.0.1",
        "expires_at": timezone.now() + timedelta(days=30),
    }
    session: Session = Session.objects.create(**(values | fields))
    return session


def access_token(membership: Membership) -> str:
    """Return an access token of a new session of the member."""
    return str(AccessToken.for_session(open_session(membership), team_id=membership.team_id))


def make_device(user: User, token: DeviceToken | None = None, **fields: object) -> Device:
    """Return a known device of the user, as a sign-in leaves it."""
    token = token or new_token(user.pk)
    values = {"name": "Phone", "ip_address": "127.0.0.1", **fields}
    device: Device = Device.objects.create(user=user, token_hash=token.hash, **values)
    return device


def make_passkey(user: User, **fields: object) -> Passkey:
    """Return a passkey of the user that answers nothing: its public key is none."""
    values = {"name": "Laptop", "credential_id": secrets.token_hex(16), "public_key": b"", **fields}
    passkey: Passkey = Passkey.objects.create(user=user, **values)
    return passkey
