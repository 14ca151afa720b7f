"""Routes under `/v1/team/`."""

from accounts.team.invitation_views import InvitationViewSet
from accounts.team.member_views import MemberViewSet
from security.access.routing import record_routes

urlpatterns = [
    *record_routes("members", MemberViewSet),
    *record_routes("invitations", InvitationViewSet),
]
