"""Routes under `/v1/team/`."""

from accounts.views.invitations import InvitationViewSet
from accounts.views.members import MemberViewSet
from security.access.routing import record_routes

urlpatterns = [
    *record_routes("members", MemberViewSet),
    *record_routes("invitations", InvitationViewSet),
]
