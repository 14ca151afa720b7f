"""The session that asks for a change, judged once more where the change is made."""

import uuid

from accounts.models import Session
from crm.api.errors import SessionRevoked


def require_live_session(*, user_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """Raise `SessionRevoked` when a session ended since its call was authenticated.

    SECURITY: a thief's call that waits, for a hash or for a lock, must not change the account after
    its owner has ended the thief's session. Belongs into the transaction of the change, behind the
    lock on the user's row: until it ends, nobody else ends the user's sessions. All are locked, in
    the order in which `sign_out` locks them.
    """
    sessions = Session.objects.live().filter(user_id=user_id).select_for_update().order_by("pk")
    if session_id not in list(sessions.values_list("pk", flat=True)):
        raise SessionRevoked
