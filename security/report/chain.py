"""How far the audit trail is sealed, from the signed heads and the newest entries."""

from django.db import connection

from security.audit.models import AuditVerification
from security.report.shape import ChainState

# What waits for the sealer, which runs every minute, is among the newest entries.
MOST_WAITING = 10_000

_HEADS = """
    SELECT count(*), coalesce(sum(position - pruned_position), 0)::bigint FROM security_audithead
"""
_NEWEST = """
    SELECT count(*) FILTER (WHERE NOT is_sealed), min(created_at) FILTER (WHERE NOT is_sealed),
           max(created_at) FILTER (WHERE is_sealed), count(*)
      FROM (SELECT e.created_at,
                   EXISTS (SELECT FROM security_auditlink l WHERE l.entry_id = e.id) AS is_sealed
              FROM security_auditentry e ORDER BY e.created_at DESC, e.id DESC LIMIT %s) newest
"""


def chain_state() -> ChainState:
    """Return the state of all teams' chains; inside the door of all teams."""
    with connection.cursor() as cursor:
        cursor.execute(_HEADS)
        chains, sealed = cursor.fetchone()
        cursor.execute(_NEWEST, [MOST_WAITING])
        waiting, since, sealed_up_to, seen = cursor.fetchone()
    last = AuditVerification.objects.order_by("-verified_at", "-id").first()
    return ChainState(
        chains=chains,
        sealed_entries=sealed,
        sealed_up_to=sealed_up_to,
        waiting_entries=waiting,
        is_more_waiting=waiting == seen == MOST_WAITING,
        waiting_since=since,
        verified_at=last.verified_at if last else None,
        verified_entries=last.entries if last else None,
        problems=last.problems if last else None,
    )
