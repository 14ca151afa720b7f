"""Routes of the tests of this package: one view that echoes, and several that fail."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.envelope import success
from crm.api.errors import Conflict
from crm.api.views import OpenView, not_found

FAULTS: dict[str, Callable[[], Exception]] = {
    "conflict": lambda: Conflict(details={"name": ["Taken."]}),
    "absent": lambda: Http404("/secret/path"),
    "denied": PermissionDenied,
    "suspicious": lambda: SuspiciousOperation("secret"),
    "outage": lambda: OperationalError("password of the database"),
    "fault": lambda: RuntimeError("secret"),
}


class EchoView(OpenView):
    http_method_names = ["get", "post"]

    def get(self, request: Request) -> Response:
        return success(dict(request.query_params))

    def post(self, request: Request) -> Response:
        return success(request.data)


class FaultView(OpenView):
    def get(self, request: Request, name: str) -> Response:
        raise FAULTS[name]()


def plain_fault(request: HttpRequest, name: str) -> HttpResponse:
    raise FAULTS[name]()


def plain_status(request: HttpRequest, status: int) -> HttpResponse:
    return HttpResponse("<h1>page</h1>", status=status, headers={"Allow": "GET"})


urlpatterns: list[Any] = [
    path("echo", EchoView.as_view()),
    path("drf/<str:name>", FaultView.as_view()),
    path("plain/<str:name>", plain_fault),
    path("status/<int:status>", plain_status),
    path("admin/status/<int:status>", plain_status),
    path("", not_found),
]
