"""The trail as a file: lines that are written while they are read."""

import csv
import io
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from crm.api import json
from crm.db.statements import fetch_rows
from crm.db.tenancy import team_context
from security.audit.models import AuditQuerySet
from security.audit.serializers import AuditEntrySerializer

CHUNK_SIZE = 1_000
CSV_COLUMNS = (
    "id",
    "createdAt",
    "action",
    "resourceType",
    "resourceId",
    "actorKind",
    "actorId",
    "actorLabel",
    "ipAddress",
    "requestId",
    "oldValues",
    "newValues",
)
# SECURITY: a spreadsheet runs a cell that begins so as a formula (ASVS v5.0.0-1.2.10).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")

Entry = dict[str, Any]


def read_entries(team_id: uuid.UUID, queryset: AuditQuerySet) -> Iterator[Entry]:
    """Yield a team's entries, newest first, in short transactions.

    The answer streams after the view's transaction ended, at the pace of a slow reader: one long
    transaction would be held open for as long.
    """
    sources = AuditEntrySerializer.sources()
    id_at, created_at = sources.index("id"), sources.index("created_at")
    rest = ordered = queryset.order_by("-created_at", "-id")
    while True:
        with team_context(team_id):
            rows = fetch_rows(rest.values_list(*sources)[:CHUNK_SIZE])
        yield from map(AuditEntrySerializer.row, rows)
        if len(rows) < CHUNK_SIZE:
            return
        last = rows[-1]
        rest = ordered.filter(created_at__lte=last[created_at]).exclude(
            created_at=last[created_at], id__gte=last[id_at]
        )


def json_lines(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield one JSON object a line."""
    for entry in entries:
        yield json.dumps(entry) + b"\n"


def csv_lines(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield a heading and one row an entry, every cell quoted."""
    yield _csv_line(CSV_COLUMNS)
    for entry in entries:
        yield _csv_line([_cell(value) for value in _flat(entry)])


def _flat(entry: Entry) -> list[Any]:
    actor = {f"actor{name.capitalize()}": value for name, value in entry["actor"].items()}
    flat = {**entry, **actor}
    return [flat[name] for name in CSV_COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value).decode().strip('"')
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _csv_line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(cells)
    return line.getvalue().encode()


# format → (media type, what writes it)
FORMATS: Mapping[str, tuple[str, Callable[[Iterable[Entry]], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_lines),
    "jsonl": ("application/x-ndjson", json_lines),
}
