"""The one shape of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.response import Response

from crm.api import json
from crm.api.errors import ApiError


def success(
    data: Any,
    *,
    status: int = 200,
    pagination: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with data; a list adds its `pagination`."""
    body: dict[str, Any] = {"success": True, "data": data}
    if pagination is not None:
        body["pagination"] = pagination
        if "total" in pagination:
            body["total"] = pagination["total"]
    return Response(body, status=status, headers=headers)


def failure_body(error: ApiError, request_id: str) -> dict[str, Any]:
    """Return the body of an error answer."""
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details:
        content["details"] = error.details
    content["requestId"] = request_id
    return {"success": False, "error": content}


def failure_response(error: ApiError, request: HttpRequest) -> HttpResponse:
    """Answer with an error in places outside DRF: middleware and plain views."""
    return HttpResponse(
        json.dumps(failure_body(error, request_id_of(request))),
        status=error.status,
        content_type="application/json",
        headers=error.response_headers(),
    )


def request_id_of(request: Any) -> str:
    """Return the id of a Django or DRF request; empty when it failed before it got one."""
    return str(getattr(request, "request_id", ""))
