"""People, their teams, and their sign-ins."""

from accounts.models.device import Device
from accounts.models.factor import BackupCode, TotpDevice, WrongCode
from accounts.models.invitation import Invitation, InvitationStatus
from accounts.models.lockout import Lockout
from accounts.models.membership import Membership, MemberStatus
from accounts.models.one_time_token import OneTimeToken, TokenPurpose
from accounts.models.passkey import ChallengePurpose, Passkey, PasskeyChallenge
from accounts.models.password_history import PasswordHistory
from accounts.models.session import RevokeReason, Session
from accounts.models.team import Team
from accounts.models.user import User

__all__ = [
    "BackupCode",
    "ChallengePurpose",
    "Device",
    "Invitation",
    "InvitationStatus",
    "Lockout",
    "MemberStatus",
    "Membership",
    "OneTimeToken",
    "Passkey",
    "PasskeyChallenge",
    "PasswordHistory",
    "RevokeReason",
    "Session",
    "Team",
    "TokenPurpose",
    "TotpDevice",
    "User",
    "WrongCode",
]
