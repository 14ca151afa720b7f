"""What may come in: one JSON object in UTF-8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpRequest
from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser

from crm.api import json
from crm.api.errors import UnsupportedMediaType, ValidationFailed

_UTF8 = ("", "utf-8", "utf8")


class StrictJSONParser(BaseParser):
    """Parse a body, or say in one clear line why not.

    Reading `body` raises RequestDataTooBig over DATA_UPLOAD_MAX_MEMORY_SIZE, answered with 413.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        request = _django_request(parser_context)
        _check_encoding(media_type or "", request)
        try:
            data = json.loads(request.body)
        except json.InvalidJson as error:
            raise ValidationFailed(str(error)) from None
        if not isinstance(data, dict):
            raise ValidationFailed("The body must be a JSON object.")
        return data


def _django_request(parser_context: Mapping[str, Any] | None) -> HttpRequest:
    request = (parser_context or {})["request"]
    inner: HttpRequest = request._request
    return inner


def _check_encoding(media_type: str, request: HttpRequest) -> None:
    kind, parameters = parse_header_parameters(media_type)
    # DRF lets `application/*` choose this parser.
    if kind != StrictJSONParser.media_type or parameters.get("charset", "").lower() not in _UTF8:
        raise UnsupportedMediaType
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Compressed bodies are not accepted.")
