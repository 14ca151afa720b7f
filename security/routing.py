"""Routes of a viewset: no trailing slash, ids are UUIDs (anything else is no route: 404)."""

from typing import Any

from django.urls import URLPattern
from rest_framework.routers import SimpleRouter


def record_routes(prefix: str, viewset: type[Any]) -> list[URLPattern]:
    """Return the routes of a resource: the list, `{id}`, and the viewset's extra actions."""
    router = SimpleRouter(trailing_slash=False, use_regex_path=False)
    router.register(prefix, viewset, basename=prefix)
    routes: list[URLPattern] = router.urls
    return routes
