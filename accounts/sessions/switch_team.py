"""Working in another team with the same sign-in."""

import uuid

from django.db import transaction

from accounts.models import Membership, Session
from accounts.sessions.tokens import AccessToken
from crm.api.errors import NotFound, SessionRevoked


@transaction.atomic
def switch_team(
    *, user_id: uuid.UUID, session_id: uuid.UUID, team_id: uuid.UUID
) -> tuple[Membership, AccessToken]:
    """Move the session to another of the user's teams and return an access token for it.

    Raises `NotFound` for a team that the user is no active member of, whether or not it exists.
    """
    # SECURITY: locked, so that whoever deactivates the member comes first or ends the session here.
    membership = (
        Membership.objects.select_for_update(of=("self",), no_key=True)
        .filter(user_id=user_id, team_id=team_id, is_active=True, team__is_active=True)
        .select_related("team", "user")
        .first()
    )
    if membership is None:
        raise NotFound
    mine = Session.objects.live().filter(pk=session_id, user_id=user_id)
    if not mine.update(team_id=team_id):
        raise SessionRevoked
    session = Session.objects.get(pk=session_id)
    return membership, AccessToken.for_session(session, team_id=team_id)
