"""Registration: an account with a team of its own, or in the team that invited it.

SECURITY: whoever registers learns nothing about the address. One that is taken gets the same answer
after the same work, which is then taken back; its owner gets a mail (ASVS v5.0.0-6.3.8).
"""

import uuid
from typing import NamedTuple

from django.db import IntegrityError, transaction
from rest_framework.request import Request

from accounts.acting_user import acting_user
from accounts.guards.password_check import check_password, record_about
from accounts.jobs import mail_already_registered, mail_verification
from accounts.mails import WELCOME
from accounts.models import Invitation, Team, User
from accounts.passwords.changes import set_password
from accounts.passwords.policy import require_strong_password
from accounts.team.invitations import accept_invitation, find_invitation
from accounts.team.members import add_member
from crm.api.errors import (
    AccountLocked,
    AuthRateLimited,
    Conflict,
    InvalidCredentials,
    PermissionDenied,
    ValidationFailed,
)
from crm.env import env
from crm.mail import app_link
from security.access.roles import Role
from security.events.collector import record_event, unrecorded
from security.events.types import EventType
from security.new_addresses import require_new_address

FIELD = "invitationToken"
# RFC 2606: nobody can have an address there.
_STAND_IN_DOMAIN = "stand-in.invalid"


class Registration(NamedTuple):
    """What somebody filled in; `team_name` or `invitation_token`, or neither."""

    email: str
    password: str
    first_name: str
    last_name: str
    team_name: str = ""
    invitation_token: str = ""

    @property
    def name_of_team(self) -> str:
        """The name of the team to make: the person's own unless they gave one."""
        return (self.team_name or f"{self.first_name} {self.last_name}".strip() + "'s team")[:120]


def register(*, request: Request, form: Registration) -> User:
    """Return the account that was made; for an address that is taken, one that exists nowhere.

    Raises `PermissionDenied` where nobody may make a team (ALLOW_REGISTRATION), and
    `ValidationFailed` and `WeakPassword` for what is wrong, whoever has the address.
    """
    user = _new_user(form, require_new_address(form.email))
    invitation = _invitation_of(form, user.email)
    team = form.name_of_team if invitation is None else invitation.team.name
    require_strong_password(form.password, user=user, team=team)
    if not _is_taken(user.email):
        try:
            _make_account(request, user, form, invitation)
            return user
        except IntegrityError:
            # Two at once: the other one has it now.
            if not _is_taken(user.email):
                raise
    _answer_owner(request, form, user.email, invitation)
    # SECURITY: the id holds the time at which it was made. This one was made when a real one is.
    return user


def _answer_owner(
    request: Request, form: Registration, address: str, invitation: Invitation | None
) -> None:
    """Do with an address that is taken what its owner may want; one password hash either way."""
    if invitation is None:
        _pretend(request, form)
    elif _joins_with_own_password(request, form, invitation):
        return
    _tell_owner(address)


def _new_user(form: Registration, email: str) -> User:
    return User(email=email, first_name=form.first_name, last_name=form.last_name)


def _invitation_of(form: Registration, address: str) -> Invitation | None:
    if form.invitation_token:
        if form.team_name:
            message = "An invitation names the team already."
            raise ValidationFailed(details={"teamName": [message]})
        return find_invitation(form.invitation_token, email=address, field=FIELD)
    if not env.allow_registration:
        raise PermissionDenied("An account needs an invitation here.")
    return None


def _is_taken(address: str) -> bool:
    return bool(User.objects.filter(email=address).exists())


def _make_account(
    request: Request, user: User, form: Registration, invitation: Invitation | None
) -> None:
    """Make the account and its membership, all or nothing."""
    with acting_user(request, user):
        set_password(user, form.password)
        if invitation is None:
            team = Team.objects.create(name=form.name_of_team)
            member = add_member(team_id=team.pk, user_id=user.pk, role=Role.ADMIN)
            mail_verification.queue(email=user.email)
        else:
            member = accept_invitation(invitation=invitation, user=user, field=FIELD)
            # The token came by mail: it proved the address.
            WELCOME.queue(to=user.email, context={"link": app_link("/sign-in")})
    record_event(EventType.ACCOUNT_REGISTERED, user_id=user.pk, team_id=member.team_id)


def _joins_with_own_password(request: Request, form: Registration, invitation: Invitation) -> bool:
    """Take an invitation into the account that is there, if its password was typed.

    Who is in no team can only join like this: there is no team to sign in to. Failures count as
    those of a sign-in, and no session is opened, so that no second factor is passed by.
    """
    try:
        owner = check_password(
            request=request._request, email=invitation.email, password=form.password
        )
        with acting_user(request, owner):
            accept_invitation(invitation=invitation, user=owner, field=FIELD)
    except (InvalidCredentials, AccountLocked, AuthRateLimited, Conflict):
        return False
    return True


def _pretend(request: Request, form: Registration) -> None:
    """Make the account under an address that nobody has, and take all of it back."""
    stand_in = _new_user(form, f"{uuid.uuid4().hex}@{_STAND_IN_DOMAIN}")
    with unrecorded(), transaction.atomic():
        _make_account(request, stand_in, form, None)
        transaction.set_rollback(True)


def _tell_owner(address: str) -> None:
    mail_already_registered.queue(email=address)
    record_about(EventType.REGISTRATION_REPEATED, address)
