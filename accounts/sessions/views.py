"""`/v1/auth/me`, `verify`, `switch-team`, `logout-all` and one's own sessions."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.descriptions import SESSION, SWITCHED, USER, VERIFIED
from accounts.models import RevokeReason, Session
from accounts.serializers import SwitchTeamSerializer, member_body, session_body, user_body
from accounts.sessions.refresh_cookie import clear_refresh_cookie, refresh_cookie
from accounts.sessions.sign_out import end_all_sessions, end_own_session
from accounts.sessions.switch_team import switch_team
from accounts.sign_in.answers import access_token_body
from crm.api.envelope import success
from crm.api.errors import NotFound
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import INTEGER, UUID, array, record
from crm.api.serializers import refuse_body
from security.access.permissions import IsSignedInUser
from security.access.views import ApiView
from security.rate_limits.table import SESSION_LIMIT


class MeView(ApiView):
    """The signed-in user."""

    permission_classes = (IsSignedInUser,)

    @describe(data=USER)
    def get(self, request: Request) -> Response:
        """Answer who is signed in, in which team, with which rights."""
        return success(user_body(self.actor))


class VerifyView(ApiView):
    """Whether the access token stands."""

    permission_classes = (IsSignedInUser,)

    @describe(data=VERIFIED)
    def get(self, request: Request) -> Response:
        """Answer 200 while the token gives access; any other answer means that it does not."""
        return success(
            {
                "valid": True,
                "expiresAt": self.actor.credential_expires_at,
                "user": user_body(self.actor),
            }
        )


class SwitchTeamView(ApiView):
    """Work in another of one's teams."""

    permission_classes = (IsSignedInUser,)

    @describe(body=SwitchTeamSerializer, data=SWITCHED, errors=(NotFound,))
    def post(self, request: Request) -> Response:
        """Answer an access token for the team; the session's next refreshes stay in it."""
        serializer = SwitchTeamSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        membership, token = switch_team(
            user_id=self.actor.user_id,
            session_id=self.actor.own_session_id,
            team_id=serializer.validated_data["team_id"],
        )
        return success({"user": member_body(membership), **access_token_body(token)})


class LogoutAllView(ApiView):
    """Sign out everywhere."""

    permission_classes = (IsSignedInUser,)
    caller_limit = SESSION_LIMIT

    @describe(data=record(sessionsEnded=INTEGER))
    def post(self, request: Request) -> Response:
        """End all sessions of the user, this one too."""
        refuse_body(request)
        count = end_all_sessions(user_id=self.actor.user_id, reason=RevokeReason.LOGOUT_ALL)
        response = success(
            {"sessionsEnded": count}, headers={"Clear-Site-Data": '"cache", "storage"'}
        )
        if refresh_cookie(request) is not None:
            clear_refresh_cookie(response)
        return response


class SessionListView(ApiView):
    """One's own sessions."""

    permission_classes = (IsSignedInUser,)
    caller_limit = SESSION_LIMIT

    @describe(data=array(SESSION))
    def get(self, request: Request) -> Response:
        """Answer the live sessions, the newest first."""
        sessions = Session.objects.live().filter(user_id=self.actor.user_id)
        current_id = self.actor.session_id
        return success([session_body(session, current_id=current_id) for session in sessions])


class SessionDetailView(ApiView):
    """One of one's own sessions."""

    permission_classes = (IsSignedInUser,)
    caller_limit = SESSION_LIMIT

    @describe(data=record(id=UUID))
    def delete(self, request: Request, session_id: uuid.UUID) -> Response:
        """End it; another user's session answers as an absent one."""
        if not end_own_session(user_id=self.actor.user_id, session_id=session_id):
            raise NotFound
        return success({"id": session_id})
