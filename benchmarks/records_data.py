"""The database of `make bench-records`: a year of events and of audit entries, a million each."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Membership, Team, User
from benchmarks.data import EMAIL, PASSWORD
from crm.db.owner import as_owner
from crm.db.partitions import Month, make_partitions
from crm.db.tenancy import context
from security.access.roles import Role
from security.events.retention import TABLE
from security.events.types import SPECS, EventType

RECORDS = 1_000_000
DAYS = 365
TEAMS = 10
PEOPLE = 200
STAFF = "staff@example.com"
# How many of a thousand events are of a type; every other type comes once in 20,000.
SHARES = {
    EventType.TOKEN_REFRESHED: 480,
    EventType.SIGN_IN_SUCCEEDED: 300,
    EventType.SIGN_IN_FAILED: 120,
    EventType.PERMISSION_DENIED: 60,
    EventType.RATE_LIMIT_EXCEEDED: 40,
}
# Every value is a hash of the row's number, so that no two columns go together.
_HASH = "(hashint8extended(n, {seed}) & 1073741823)"
# Rows come in the order of time, as they do in life; their ids too.
_AGO = f"((%(count)s - n) * interval '{DAYS} days' / %(count)s)"
_EVENTS = f"""
    INSERT INTO security_event
           (id, created_at, event_type, category, severity, success, team_id, team_name, user_id,
            user_email, actor_kind, actor_id, actor_label, ip_address, user_agent, request_method,
            request_path, request_id, message, metadata)
    SELECT uuidv7(-{_AGO}), now() - {_AGO}, t.name, t.category, t.severity, t.success,
           (%(teams)s::uuid[])[1 + {_HASH.format(seed=1)} %% {TEAMS}], 'A team',
           (%(people)s::uuid[])[1 + {_HASH.format(seed=2)} %% {PEOPLE}], 'person@example.com',
           'user', '', 'person@example.com',
           '198.51.0.0'::inet + {_HASH.format(seed=3)} %% 20000,
           'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'POST',
           '/v1/auth/login', gen_random_uuid()::text, t.message, '{{}}'
      FROM generate_series(1::bigint, %(count)s) AS n
      JOIN unnest(%(names)s::text[], %(categories)s::text[], %(severities)s::text[],
                  %(successes)s::bool[], %(messages)s::text[])
             WITH ORDINALITY AS t (name, category, severity, success, message, place)
        ON t.place = CASE WHEN {_HASH.format(seed=4)} %% 1000 = 0
                          THEN 1 + {_HASH.format(seed=5)} %% %(types)s
                          ELSE (%(shares)s::int[])[1 + {_HASH.format(seed=6)} %% 1000] END
"""  # noqa: S608 (constants and placeholders only)
_ENTRIES = f"""
    INSERT INTO security_auditentry (
        id, team_id, action, resource_type, resource_id, old_values, new_values,
        actor_kind, actor_id, actor_label, request_id, ip_address, created_at, transaction_id)
    SELECT uuidv7(-{_AGO}),
           (%(teams)s::uuid[])[CASE WHEN n %% 10 = 0 THEN 2 WHEN n %% 10 < 7 THEN 1
                                    ELSE 3 + {_HASH.format(seed=1)} %% {TEAMS - 2} END],
           CASE WHEN n %% 5 = 0 THEN 'create' ELSE 'update' END, 'clients',
           (%(people)s::uuid[])[1 + {_HASH.format(seed=2)} %% {PEOPLE}],
           CASE WHEN n %% 5 = 0 THEN NULL ELSE '{{"first_name": "Ada"}}'::jsonb END,
           jsonb_build_object('first_name', 'Ada', 'number', n), 'user',
           (%(people)s::uuid[])[1 + {_HASH.format(seed=3)} %% {PEOPLE}]::text,
           'person@example.com', gen_random_uuid()::text, '198.51.0.1',
           now() - {_AGO}, pg_current_xact_id()::text::bigint
      FROM generate_series(1::bigint, %(count)s) AS n
"""  # noqa: S608 (as above)
# What the planner knows nothing of: two entries that are like no other in a million.
_RARE = """
    INSERT INTO security_auditentry (
        id, team_id, action, resource_type, resource_id, actor_kind, actor_id, actor_label,
        request_id, ip_address, created_at, transaction_id)
    SELECT gen_random_uuid(), %(team)s, 'restore', 'leads', gen_random_uuid(), 'job', '', 'rare',
           '', '', now() - n * interval '100 days', pg_current_xact_id()::text::bigint
      FROM generate_series(1, 2) AS n
"""


class Loaded(NamedTuple):
    """What the calls are made with."""

    staff: User
    team: Team
    sealed_team: Team
    person: User


def load(count: int = RECORDS) -> Loaded:
    """Fill an empty database; what is there already is used again."""
    call_command("migrate", verbosity=0, skip_checks=True)
    if not User.objects.filter(email=STAFF).exists():
        _load(count)
    teams = list(Team.objects.order_by("name")[:2])
    people = {email: User.objects.get(email=email) for email in (STAFF, EMAIL)}
    return Loaded(people[STAFF], teams[0], teams[1], people[EMAIL])


def _load(count: int) -> None:
    teams = [Team.objects.create(name=f"Team {number}") for number in range(TEAMS)]
    signed_in = User.objects.create_user(EMAIL, PASSWORD, email_verified_at=timezone.now())
    Membership.objects.create(team=teams[0], user=signed_in, role=Role.ADMIN)
    people = [User(email=f"person{number}@example.com") for number in range(PEOPLE - 1)]
    ids = [signed_in.pk, *(person.pk for person in User.objects.bulk_create(people))]
    values: dict[str, Any] = {"teams": [team.pk for team in teams], "people": ids, "count": count}
    with as_owner():
        _make_months()
        with context(all_teams="on", audit_door="prune"), connection.cursor() as cursor:
            # What was just made is younger than all that follows, and would never be pruned.
            cursor.execute("DELETE FROM security_auditentry")
            cursor.execute(_EVENTS, {**values, **_types()})
            cursor.execute(_ENTRIES, values)
            cursor.execute(_RARE, {"team": teams[0].pk})
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    User.objects.create_superuser(STAFF)


def _make_months() -> None:
    first = Month.of(timezone.now() - timedelta(days=DAYS))
    make_partitions(TABLE, now=first.begin, ahead=12)


def _types() -> dict[str, Any]:
    """Return the columns of the types, and the place of one for each of a thousand events."""
    types = list(SPECS)
    places = [types.index(name) + 1 for name, share in SHARES.items() for _ in range(share)]
    specs = SPECS.values()
    return {
        "names": [name.value for name in types],
        "categories": [spec.category.value for spec in specs],
        "severities": [spec.severity.value for spec in specs],
        "successes": [spec.success for spec in specs],
        "messages": [spec.message for spec in specs],
        "types": len(types),
        "shares": places,
    }
