"""Answers are JSON, whatever the caller says it accepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from crm.api import json


class EnvelopeJSONRenderer(BaseRenderer):
    """Render what `envelope.success` made."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else json.dumps(data)


class JSONOnlyNegotiation(DefaultContentNegotiation):
    """Choose the view's first renderer without looking at `Accept`.

    RFC 9110 (12.5.1) allows it, every answer is promised to be JSON, and it spares the parsing.
    """

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""
