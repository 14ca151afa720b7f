"""People, their teams, and their sign-ins."""

from accounts.models.membership import Membership, MemberStatus
from accounts.models.session import RevokeReason, Session
from accounts.models.team import Team
from accounts.models.user import User

__all__ = ["MemberStatus", "Membership", "RevokeReason", "Session", "Team", "User"]
