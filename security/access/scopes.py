"""Scopes of API keys: what a key may do, resource by resource. Nothing is implied."""

from collections.abc import Iterable, Mapping

from security.access.roles import RECORD_RESOURCES, Right

ALL_RESOURCES = "all"
SCOPE_ACTIONS = ("read", "write", "delete")
ACTION_OF_RIGHT: Mapping[Right, str] = {
    Right.VIEW: "read",
    Right.CREATE: "write",
    Right.EDIT: "write",
    Right.BULK_EDIT: "write",
    Right.DELETE: "delete",
    Right.PURGE: "delete",
    Right.IMPORT: "import",
    Right.EXPORT: "export",
}


class UnknownScope(ValueError):
    """A scope names a resource or an action that does not exist."""


def parse_scopes(scopes: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the scopes in their stored form: known names only, sorted, none twice.

    Raises `UnknownScope`. A resource without actions is dropped: it allows nothing.
    """
    parsed: dict[str, list[str]] = {}
    for resource, actions in scopes.items():
        if resource not in (*RECORD_RESOURCES, ALL_RESOURCES):
            raise UnknownScope(f"Unknown resource {resource!r}.")
        for action in actions:
            if action not in SCOPE_ACTIONS:
                raise UnknownScope(f"Unknown action {action!r} for {resource!r}.")
        if kept := sorted(set(actions)):
            parsed[resource] = kept
    return parsed


def allows(scopes: Mapping[str, Iterable[str]], resource: str, right: Right) -> bool:
    """Tell whether the scopes hold the action behind the right on this resource.

    `all` means every resource of records; what manages a team is never in a key's reach.
    """
    action = ACTION_OF_RIGHT[right]
    return resource in RECORD_RESOURCES and (
        action in scopes.get(resource, ()) or action in scopes.get(ALL_RESOURCES, ())
    )
