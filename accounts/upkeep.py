"""Deleting what nobody needs any more: ended sessions, tokens of the ledger, admin sessions."""

from datetime import timedelta
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import Session
from accounts.sessions.admin_sessions import SessionStore

# So long it can be looked up when somebody was signed in, from where, and why it ended.
SESSIONS_KEPT: Final = timedelta(days=90)
_BATCH_SIZE: Final = 1_000


def delete_ended_sessions() -> int:
    """Delete sessions that ended long ago; return how many. Their tokens are refused as before."""
    before = timezone.now() - SESSIONS_KEPT
    return _delete(Session.objects.filter(Q(revoked_at__lt=before) | Q(expires_at__lt=before)))


def delete_expired_tokens() -> int:
    """Delete refresh tokens past their time from the ledger; return how many rows went."""
    return _delete(OutstandingToken.objects.filter(expires_at__lt=timezone.now()))


def delete_expired_admin_sessions() -> None:
    """Delete admin sessions past their time."""
    SessionStore.clear_expired()


def _delete(rows: Any) -> int:
    """Delete in batches, each its own transaction, so that nobody waits for long."""
    count = 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH_SIZE]):
        rows.filter(pk__in=batch).delete()
        count += len(batch)
    return count
