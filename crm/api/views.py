"""Health, the API's description, and the answer for paths that are none."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.csrf import csrf_failure as django_csrf_failure
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.envelope import failure_response, success
from crm.api.errors import CsrfFailed, MethodNotAllowed, NotFound, ServiceUnavailable
from crm.api.middleware import is_html_path
from crm.api.readiness import readiness
from crm.api.schema.describe import describe
from crm.api.schema.document import schema_document
from crm.api.schema.json_schema import constant, mapping, record


class OpenView(APIView):
    """A view for everybody: no login is read, nothing is limited."""

    authentication_classes = ()
    permission_classes: tuple[type[BasePermission], ...] = (AllowAny,)
    throttle_classes = ()
    is_limited = False
    http_method_names = ["get", "head"]

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        raise MethodNotAllowed(headers={"Allow": ", ".join(self.allowed_methods)})


class HealthView(OpenView):
    """Whether the process answers."""

    @describe(data=record(status=constant("ok")))
    def get(self, request: Request) -> Response:
        """Answer that the process is there, without asking anything else."""
        return success({"status": "ok"})


class ReadinessView(OpenView):
    """Whether the process can serve."""

    @describe(data=record(status=constant("ok"), checks=mapping(constant("ok"))))
    def get(self, request: Request) -> Response:
        """Answer each check by name, with 503 when one fails."""
        results = {name: "ok" if passes else "failing" for name, passes in readiness().items()}
        if "failing" in results.values():
            details = {name: [result] for name, result in results.items()}
            raise ServiceUnavailable("Not ready to serve.", details=details)
        return success({"status": "ok", "checks": results})


class SchemaView(OpenView):
    """The API's description, for tools."""

    schema = None

    def get(self, request: Request) -> HttpResponse:
        """Answer the OpenAPI document itself, without an envelope."""
        return HttpResponse(schema_document(), content_type="application/json")


class DocsView(OpenView):
    """The API's description, for people: Swagger UI from this system's own static files."""

    schema = None

    def get(self, request: Request) -> HttpResponse:
        """Answer the page; it reads `/v1/schema`."""
        return render(request._request, "crm/docs.html")


def not_found(request: HttpRequest) -> HttpResponse:
    """Answer any path that is none."""
    return failure_response(NotFound(), request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without proof (CSRF_FAILURE_VIEW): a page for staff, JSON elsewhere."""
    if is_html_path(request.path):
        return django_csrf_failure(request, reason)
    return failure_response(CsrfFailed(), request)
