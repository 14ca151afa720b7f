"""The routes of the API, read from the URLconf, for tests that go through all of them."""

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

from crm.env import env

ABSENT_ID = uuid.UUID("00000000-0000-7000-8000-000000000000")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Route(NamedTuple):
    """A route under `/v1/`. `actions` is method → what handles it."""

    pattern: str
    name: str
    view: type[Any]
    actions: Mapping[str, str]

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods it answers, HEAD left out."""
        return tuple(method for method in METHODS if method.lower() in self.actions)

    def path(self, record_id: object = ABSENT_ID) -> str:
        """Return a path of the route; every id in it is the same one."""
        return re.sub(r"<[^>]+>", str(record_id), self.pattern)


def api_routes() -> list[Route]:
    """Return every route of the API; a view that is no class fails."""
    return [
        _route(pattern, path)
        for pattern, path in _walk(get_resolver().url_patterns, "/")
        if path.startswith("/v1/")
    ]


def other_paths() -> set[str]:
    """Return the patterns outside the API and the admin."""
    paths = {path for _, path in _walk(get_resolver().url_patterns, "/")}
    return {path for path in paths if not path.startswith(("/v1/", f"/{env.admin_path}"))}


def _walk(patterns: Any, prefix: str) -> Iterator[tuple[URLPattern, str]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            yield pattern, path


def _route(pattern: URLPattern, path: str) -> Route:
    callback: Any = pattern.callback
    view = callback.cls
    actions = getattr(callback, "actions", None) or {
        name: name for name in view.http_method_names if hasattr(view, name)
    }
    return Route(path, pattern.name or "", view, actions)
