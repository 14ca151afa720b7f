"""The API's description of itself (OpenAPI 3.1), made from what the views declare."""

from __future__ import annotations

from functools import lru_cache

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from crm.api import json


class EnvelopeAutoSchema(AutoSchema):
    """Describe the envelope around every answer."""


@lru_cache(maxsize=1)
def schema_document() -> bytes:
    """Return the OpenAPI document as JSON, made once a process."""
    return json.dumps(SchemaGenerator().get_schema(request=None, public=True))
