"""Periodic work that needs the owner of the tables, and deleting what was counted long ago."""

import logging
from datetime import timedelta
from typing import Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from crm.db.owner import as_owner
from crm.db.partitions import owns_table
from crm.db.tenancy import context
from crm.env import env
from security.api_keys.usage import LONGEST_DAYS
from security.audit.models import AuditVerification
from security.audit.retention import prune
from security.audit.verifier import Verified, verify
from security.events.retention import TABLE, drop_old_events, make_event_partitions
from security.mails import AUDIT_TRAIL_BROKEN
from security.models import ApiKeyNotice, ApiKeyUsage, Finding
from security.people import superusers
from security.rate_limits.store import delete_expired_counters

logger = logging.getLogger(__name__)

_USAGE_KEPT: Final = timedelta(days=LONGEST_DAYS + 10)


class Partitions(NamedTuple):
    """Names of the tables of months that were made and dropped."""

    made: list[str]
    dropped: list[str]


def keep_event_partitions() -> Partitions:
    """Make the next months of the security events and drop those past EVENT_RETENTION."""
    with as_owner():
        return Partitions(make_event_partitions(), drop_old_events())


def prune_audit_trail() -> int:
    """Take entries older than AUDIT_RETENTION out of the trail; return how many.

    Raises what `prune` raises.
    """
    return prune(before=timezone.now() - env.audit_retention)


def prove_audit_trail() -> Verified:
    """Prove the chains of all teams and note the outcome for the security page.

    Superusers get a mail about a trail that is broken.
    """
    found = verify()
    with transaction.atomic():
        AuditVerification.objects.create(entries=found.entries, problems=len(found.problems))
        for receiver in superusers() if found.problems else ():
            facts = {"first_name": receiver.first_name, "problems": found.problems}
            AUDIT_TRAIL_BROKEN.queue(to=receiver.email, context=facts)
    return found


def has_owner() -> bool:
    """Tell whether this process may work as the owner of the tables; if not, log what is missing.

    A DATABASE_OWNER_URL of its own is believed here, and proves right or wrong when it is used.
    """
    if env.database_owner_url != env.database_url or owns_table(TABLE):
        return True
    logger.error(
        "Not done, the worker has no DATABASE_OWNER_URL: the audit trail is not sealed, "
        "retention does not run, months of security events are not made"
    )
    return False


def delete_old_counts() -> None:
    """Delete usage of keys, findings, notices and counters past their time."""
    now = timezone.now()
    with context(all_teams="on"):
        ApiKeyUsage.objects.filter(day__lt=(now - _USAGE_KEPT).date()).delete()
        Finding.objects.filter(created_at__lt=now - env.event_retention).delete()
    ApiKeyNotice.objects.filter(expires_at__lt=now).delete()
    while delete_expired_counters():
        pass
