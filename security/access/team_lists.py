"""Lists of a team's rows."""

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request

from crm.api.filters import StrictFilterSet
from crm.api.pagination import ListSource
from crm.api.parameters import LIST_PARAMETERS, check_parameters
from security.request.actors import Actor


def team_list(
    of_team: Callable[[], Any],
    request: Request,
    filterset_class: type[StrictFilterSet],
    actor: Actor,
) -> ListSource:
    """Return what a list of the team's rows reads from; without filters its SQL is kept."""
    parameters = request.query_params
    is_plain = "q" not in parameters and LIST_PARAMETERS.issuperset(parameters)
    if is_plain and parameters:
        check_parameters(parameters, LIST_PARAMETERS)
    return ListSource(
        of_team().model,
        lambda: filterset_class.apply(of_team(), request),
        kept_as="rows of a team" if is_plain else None,
        parameters=(actor.team_id,),
    )
