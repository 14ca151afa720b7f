"""What the trail calls a model and its columns, and how the API speaks of them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models

from crm.api.naming import camel_case


def resource_name(model: type[models.Model]) -> str:
    """Return the name of a model's rows in the trail, such as `api_keys`."""
    return str(model._meta.verbose_name_plural).lower().replace(" ", "_")


def spoken_values(resource_type: str, values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return columns and values under the API's names: `assigned_to_id` is `assignedTo`."""
    if values is None:
        return None
    names = _spoken_names(resource_type)
    return {names.get(name) or camel_case(name): value for name, value in values.items()}


@cache
def _spoken_names(resource_type: str) -> dict[str, str]:
    return {
        str(field.column): camel_case(field.name)
        for model in apps.get_models()
        if resource_name(model) == resource_type
        for field in model._meta.concrete_fields
    }
