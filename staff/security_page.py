"""The security page of the staff admin: the report of `security.report`, drawn."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from security.admin.door import through_door
from security.report.charts import Chart, stacked_chart
from security.report.figures import HOSTILE, KINDS, security_report
from security.report.shape import Report
from security.report.text import LABELS, stretch_of

PERIODS = {1: "24 hours", 7: "7 days", 30: "30 days", 90: "90 days", 365: "a year"}
USUAL_DAYS = 7
EVENTS = "admin:security_securityevent_changelist"
# Lists beside those of the same part of the admin, which say more about the figures.
_MORE_LISTS = {"session", "device", "lockout", "totpdevice", "accessattempt"}


def security_page(request: HttpRequest, site: AdminSite, extra_context: Any) -> HttpResponse:
    """Answer with the page, through the recorded door of all teams; for superusers alone."""
    days = _days(request)
    reason = f"admin GET security page, {days} days"
    return through_door(request, reason, _page, site, days, extra_context or {})


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return next((days for days in PERIODS if str(days) == asked), USUAL_DAYS)


def _page(request: HttpRequest, site: AdminSite, days: int, extra: dict[str, Any]) -> HttpResponse:
    report = security_report(days)
    context = {
        **site.each_context(request),
        "title": "Security",
        "report": report,
        "periods": PERIODS,
        "tiles": [_tile(report, kind) for kind in KINDS],
        "sign_ins": stacked_chart(
            report, "sign-ins", "Sign-ins and failures", ("sign_ins", "failures")
        ),
        "stretch": stretch_of(report.period),
        "labels": LABELS,
        "stretches": [
            (bucket.begin, [bucket.counts.get(kind, 0) for kind in KINDS])
            for bucket in report.buckets
            if bucket.counts
        ],
        "addresses": _addresses(report),
        "hostile": ", ".join(LABELS[kind].lower() for kind in HOSTILE),
        "lists": list(_lists(site, request)),
        **extra,
    }
    return render(request, "admin/security_page.html", context)


def _tile(report: Report, kind: str) -> dict[str, Any]:
    """Return a kind's label, count, small chart and filtered list."""
    chart: Chart = stacked_chart(report, f"tile-{kind}", LABELS[kind], (kind,))
    types = KINDS[kind]
    chosen = {"event_type": types[0].value} if len(types) == 1 else {"success__exact": "0"}
    return {
        "label": LABELS[kind],
        "count": report.totals[kind],
        "chart": chart,
        "url": _events(report, **chosen),
    }


def _events(report: Report, **chosen: str) -> str:
    """Return the address of the list of events of the period."""
    query = urlencode({**chosen, "created_at__gte": report.period.since.isoformat()})
    return f"{reverse(EVENTS)}?{query}"


def _addresses(report: Report) -> list[dict[str, Any]]:
    """Return the addresses with the length of their bar, of a hundred, and their events."""
    most = max((address.refusals for address in report.top_addresses), default=1)
    return [
        {
            "address": address,
            "length": max(1, round(100 * address.refusals / most)),
            "url": _events(report, q=address.ip_address),
        }
        for address in report.top_addresses
    ]


def _lists(site: AdminSite, request: HttpRequest) -> list[dict[str, Any]]:
    """Return name and address of the lists behind the figures."""
    found = []
    for app in site.get_app_list(request):
        for model in app["models"]:
            is_near = app["app_label"] == "security"
            if is_near or model["object_name"].lower() in _MORE_LISTS:
                found.append({"name": model["name"], "url": model["admin_url"]})
    return found
