"""The limit: the SQL of the client list and orjson, with nothing around it."""

from typing import Any

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse

# Set by benchmarks.run to the statement that the real list executes.
statement: dict[str, Any] = {"sql": "", "names": ()}


def open_team(team_id: object) -> None:
    """Open the team for the whole connection, so that the bare view needs one statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.team_id', %s, false)", [str(team_id)])


def bare_clients(request: HttpRequest) -> HttpResponse:
    """Answer the same 25 rows as the real list."""
    with connection.cursor() as cursor:
        cursor.execute(statement["sql"])
        rows = [dict(zip(statement["names"], row, strict=False)) for row in cursor.fetchall()]
    return HttpResponse(orjson.dumps(rows[:25]), content_type="application/json")
