"""What the tests of isolation over HTTP have in common."""

from typing import Any

import pytest

from records.models import TeamModel
from records.viewsets import RecordViewSet
from tests.routes import ABSENT_ID, Route, api_routes
from tests.team_records import TEAM_MODELS, name_of

RECORD_ROUTES = [route for route in api_routes() if issubclass(route.view, RecordViewSet)]
# Changes with every answer, or counts them.
_VOLATILE_HEADERS = {"X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset"}

every_model = pytest.mark.parametrize("model", TEAM_MODELS, ids=name_of)
# Records of people, with names, an email address and notes.
every_person = pytest.mark.parametrize(
    "model", [model for model in TEAM_MODELS if hasattr(model, "last_name")], ids=name_of
)
every_caller = pytest.mark.parametrize("caller", ["as_mallory", "as_mallorys_key"])


def model_of_route(route: Route) -> type[TeamModel]:
    """Return the model whose records the route serves."""
    model: type[TeamModel] = route.view.serializer_class.Meta.model
    return model


def list_path(model: type[TeamModel]) -> str:
    """Return the path of the model's list."""
    return next(
        route.pattern
        for route in RECORD_ROUTES
        if route.name.endswith("-list") and model_of_route(route) is model
    )


def comparable(response: Any, record_id: object = ABSENT_ID) -> tuple[int, str, dict[str, str]]:
    """Return an answer without what differs between any two."""
    body = response.content.decode().replace(str(record_id), "<id>")
    headers = {name: value for name, value in response.items() if name not in _VOLATILE_HEADERS}
    return response.status_code, body.replace(response.get("X-Request-ID", "-"), ""), headers
