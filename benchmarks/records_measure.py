"""The pages that show records, on a million of each, and what keeps the records."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import django

django.setup()

# The applications must be ready before these are imported.
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.audit import measure_audit  # noqa: E402
from benchmarks.calls import Answer, Call, Measured, call, timed  # noqa: E402
from benchmarks.data import EMAIL, PASSWORD  # noqa: E402
from benchmarks.records_data import DAYS, Loaded, load  # noqa: E402
from crm.wsgi import application  # noqa: E402
from security.audit.retention import prune  # noqa: E402
from security.audit.sealer import seal_all  # noqa: E402
from staff.tests.admin_browser import admin_browser  # noqa: E402

EVENTS, ENTRIES = "/v1/security/events", "/v1/audit-logs"
NEW_CLIENT = {"firstName": "New", "lastName": "Client", "email": "new@example.com"}
NOWHERE = "00000000-0000-4000-8000-000000000000"
# A list is asked for in all the ways that its filters, its pages and its order allow.
API_PAGES: Mapping[str, tuple[str, ...]] = {
    EVENTS: (
        "",
        "limit=200",
        "ordering=createdAt",
        "eventType=token.refreshed",
        "eventType=token.reused",
        "category=session",
        "severity=critical",
        "success=false",
        "ipAddress=198.51.0.7",
        f"userId={NOWHERE}",
        "createdBefore={half}",
    ),
    "/v1/auth/events": ("", "eventType=token.reused", "severity=critical"),
    ENTRIES: (
        "",
        "limit=200",
        "ordering=createdAt",
        "resourceType=clients",
        "resourceType=leads",
        "resourceType=nothing",
        "action=update",
        "action=restore",
        "action=purge",
        "actorKind=user",
        "actorKind=job",
        "actorKind=staff",
        "actorId={person}",
        f"actorId={NOWHERE}",
        f"resourceId={NOWHERE}",
        "resourceType=leads&action=restore",
        "resourceType=leads&actorKind=job",
        "createdBefore={half}",
    ),
}
ADMIN_PAGES: Mapping[str, tuple[str, ...]] = {
    "security_securityevent_changelist": (
        "",
        "p=150",
        "severity=critical",
        "event_type=token.reused",
        "event_type=token.refreshed",
        "category=staff",
        "success__exact=0",
        "q=198.51.0.7",
        "q=bench@example.com",
        "created_at__year={year}&created_at__month={month}",
    ),
    "security_auditentry_changelist": (
        "",
        "p=150",
        "team_id={team}",
        "action__exact=update",
        "action__exact=restore",
        "action__exact=purge",
        "kind=job",
        "kind=staff",
        "team_id={team}&kind=staff",
        "q={person}",
        f"q={NOWHERE}",
    ),
}


def run(*, rounds: int) -> dict[str, Any]:
    """Load, measure every page and the work on the trail, and return the report."""
    loaded = load()
    pages = _pages(loaded)
    gc.collect()
    gc.freeze()
    seconds: dict[str, list[float]] = {name: [] for name in pages}
    for number in range(-3, rounds):
        for name, action in pages.items():
            taken = timed(action, status=200)
            if number >= 0:
                seconds[name].append(taken)
    rows = [_row(name, Measured(taken)) for name, taken in seconds.items()]
    token = _access_token()
    create = Call(_api_call("/v1/clients", token, NEW_CLIENT), 201)
    return {"pages": rows, "audit": measure_audit({"create": create}), "work": list(_work(loaded))}


def _row(name: str, measured: Measured) -> dict[str, Any]:
    return {
        "name": name,
        "p50_ms": round(measured.percentile(0.5), 1),
        "p95_ms": round(measured.percentile(0.95), 1),
    }


def _pages(loaded: Loaded) -> Mapping[str, Callable[[], Answer]]:
    half = timezone.now() - timedelta(days=DAYS / 2)
    words = {
        "team": loaded.team.pk,
        "person": loaded.person.pk,
        "half": urlencode({"": half.isoformat()})[1:],
        "year": half.year,
        "month": half.month,
    }
    token, browser = _access_token(), admin_browser(loaded.staff)
    pages = {
        f"GET {path}?{query}": _api_call(f"{path}?{query.format(**words)}", token)
        for path, queries in API_PAGES.items()
        for query in queries
    }
    for name, queries in ADMIN_PAGES.items():
        for query in queries:
            path = f"{reverse(f'admin:{name}')}?{query.format(**words)}"
            pages[f"admin {name.split('_')[1]}?{query}"] = _admin_call(path, browser)
    for days in (1, 7, 30):
        path = f"{reverse('admin:app_list', args=['security'])}?days={days}"
        pages[f"admin security page, {days} days"] = _admin_call(path, browser)
    return pages


def _access_token() -> str:
    body = {"email": EMAIL, "password": PASSWORD}
    answer = call(application, "POST", "/v1/auth/login", body=body)
    return str(answer.data["data"]["accessToken"])


def _api_call(path: str, token: str, body: Any = None) -> Callable[[], Answer]:
    method = "POST" if body else "GET"
    return lambda: call(application, method, path, body=body, authorization=f"Bearer {token}")


def _admin_call(path: str, browser: Client) -> Callable[[], Answer]:
    def get() -> Answer:
        answer = browser.get(path, SERVER_NAME="localhost")
        return Answer(answer.status_code, answer.content, {})

    return get


def _work(loaded: Loaded) -> Iterator[dict[str, Any]]:
    """Seal and prune, and yield how long it took."""
    sealed, seconds = _clocked(lambda: seal_all(team_id=loaded.sealed_team.pk))
    yield {"name": "sealing one team", "entries": sealed, "seconds": seconds}
    sealed, seconds = _clocked(seal_all)
    yield {"name": "sealing the others", "entries": sealed, "seconds": seconds}
    before = timezone.now() - timedelta(days=DAYS - 30)
    taken, seconds = _clocked(lambda: prune(before=before))
    yield {"name": "pruning the oldest month", "entries": taken, "seconds": seconds}


def _clocked(action: Callable[[], int]) -> tuple[int, float]:
    started = time.perf_counter()
    count = action()
    return count, round(time.perf_counter() - started, 2)
