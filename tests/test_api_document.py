"""docs/api.md tells the calls, errors, filters and orderings that there are."""

import re
from collections.abc import Iterator

from crm.api import errors
from crm.api.parameters import LIST_PARAMETERS
from crm.env import PROJECT_DIR
from records.viewsets import RecordViewSet
from security.access.views import TeamScopedView
from tests.documents import section_of
from tests.routes import api_routes

DOCUMENT = PROJECT_DIR / "docs" / "api.md"
_ID = re.compile(r"<[^>]+>")
RECORD_FILTERS = "- Of every record:"


def rows_of(heading: str) -> list[list[str]]:
    """Return the cells of the table's rows below a heading."""
    lines = [line for line in section_of(DOCUMENT, heading).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names_in(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def test_every_call_is_told_and_no_other() -> None:
    served = {
        f"`{method} {_ID.sub('{id}', route.pattern)}`"
        for route in api_routes()
        for method in route.methods
    }
    assert {call for call, *_ in rows_of("Endpoints")} == served


def test_every_error_is_told_with_its_status() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    raised = {(k.code, k.status) for k in kinds if issubclass(k, errors.ApiError)}
    assert {(code.strip("`"), int(status)) for code, status, _ in rows_of("Errors")} == raised


def lists() -> Iterator[tuple[str, type[TeamScopedView]]]:
    """Yield (name, view) of every list."""
    for route in api_routes():
        if route.actions.get("get") == "list":
            yield route.pattern.removeprefix("/v1/"), route.view


def test_every_list_tells_its_filters_and_orderings() -> None:
    told = {name: (names_in(filters), names_in(order)) for name, filters, order in rows_of("Lists")}
    lines = section_of(DOCUMENT, "Lists").splitlines()
    common = names_in(next(line for line in lines if line.startswith(RECORD_FILTERS)))
    found = {}
    for name, view in lists():
        filters = set(view.filterset_class.known_parameters()) - LIST_PARAMETERS  # type: ignore[attr-defined]  # A viewset of lists.
        own = filters - common if issubclass(view, RecordViewSet) else filters
        assert own == filters or common <= filters
        found[name] = (own, set(view.ordering_fields))  # type: ignore[attr-defined]  # As above.
    assert told == found
