"""Routes of a viewset: no trailing slash, ids are UUIDs (anything else is no route: 404)."""

from typing import Any

from rest_framework.routers import SimpleRouter


class _RecordRouter(SimpleRouter):
    """A router whose `{id}` is a UUID: DRF's own would hand any text to the view."""

    def get_lookup_regex(self, viewset: type[Any], lookup_prefix: str = "") -> str:
        return f"<uuid:{lookup_prefix}pk>"


def record_routes(prefix: str, viewset: type[Any]) -> list[Any]:
    """Return the routes of a resource: the list, `{id}`, and the viewset's extra actions."""
    router = _RecordRouter(trailing_slash=False, use_regex_path=False)
    router.register(prefix, viewset, basename=prefix)
    return list(router.urls)
