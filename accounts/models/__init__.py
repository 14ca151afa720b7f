"""People, their teams, and their sign-ins."""

from accounts.models.membership import Membership
from accounts.models.session import RevokeReason, Session
from accounts.models.team import Team
from accounts.models.user import User

__all__ = ["Membership", "RevokeReason", "Session", "Team", "User"]
