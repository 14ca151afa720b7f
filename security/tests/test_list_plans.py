"""Lists of records stay quick among millions: an index for each filter, a plan for each value."""

from typing import Any

import pytest
from django.db import connection

from crm.api.filters import StrictFilterSet
from security.admin import door
from security.audit.filters import AuditFilterSet
from security.audit.models import AuditEntry
from security.events.filters import SecurityEventFilterSet
from security.events.models import SecurityEvent
from staff.tests.admin_calls import page
from tests.plain_sql import fetch_all

INDEXES = """
    SELECT array_agg(attname ORDER BY place) FROM pg_index,
           unnest(indkey) WITH ORDINALITY AS key (number, place)
      JOIN pg_attribute ON attnum = key.number
     WHERE indrelid = %s::regclass AND attrelid = indrelid GROUP BY indexrelid
"""
PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%' || %s || '%%'"
# Half of all events; the newest of either half are found at once.
WITHOUT_INDEX = {"success"}
ORDER = ["created_at", "id"]


@pytest.mark.parametrize(
    ("model", "filters"),
    [(AuditEntry, AuditFilterSet), (SecurityEvent, SecurityEventFilterSet)],
)
def test_every_filter_has_an_index_that_ends_in_the_order_of_the_list(
    db: None, model: Any, filters: type[StrictFilterSet]
) -> None:
    indexes = [columns for (columns,) in fetch_all(INDEXES, [model._meta.db_table])]
    fields = {str(one.field_name) for one in filters.base_filters.values()} - {"created_at"}
    for field in fields - WITHOUT_INDEX:
        wanted = [field, *ORDER]
        assert wanted in indexes or ["team_id", *wanted] in indexes, field
    assert ["team_id", *ORDER] in indexes


def prepared(table: str) -> int:
    """Return how many statements the server keeps that read a table."""
    return int(fetch_all(PREPARED, [f'FROM "{table}"'])[0][0])


def test_a_filtered_list_is_planned_for_its_values(as_alice: Any) -> None:
    for _ in range(8):
        as_alice.get("/v1/audit-logs?resourceType=leads&actorKind=job")
        as_alice.get("/v1/clients?limit=2")
    assert prepared("security_auditentry") == 0
    assert prepared("clients_client") > 0


def test_staffs_pages_are_planned_for_their_values(
    as_staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    out = door.through_door

    def look(request: Any, reason: str, shown: Any, *args: Any, **kwargs: Any) -> Any:
        def noted(*inner: Any, **named: Any) -> Any:
            modes.extend(fetch_all("SHOW plan_cache_mode"))
            return shown(*inner, **named)

        return out(request, reason, noted, *args, **kwargs)

    monkeypatch.setattr(door, "through_door", look)
    as_staff.get(page("security_auditentry_changelist"))
    assert modes == [("force_custom_plan",)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.all_teams', true)")
        assert cursor.fetchone() != ("on",)
