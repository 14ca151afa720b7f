"""System checks: `manage.py check --database default` names what is open in the database."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register

from crm.db.isolation import isolation_problems
from crm.env import env


@register(Tags.database)
def check_isolation(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return crm.E001 for each reason why teams are not walled off in the database."""
    if not databases:
        return []
    return [
        Error(
            problem,
            hint="Add TeamIsolation to the table's migration, or serve as another role.",
            id="crm.E001",
        )
        for problem in isolation_problems()
    ]


@register(Tags.security)
def check_protections(**kwargs: Any) -> list[CheckMessage]:
    """Return a warning for each protection that the operator switched off in production."""
    if env.debug:
        return []
    switches = {
        "ENABLE_TOKEN_ROTATION": env.enable_token_rotation,
        "ENABLE_THEFT_DETECTION": env.enable_theft_detection,
    }
    return [
        Warning(
            f"{name} is off: a stolen refresh token can be used unnoticed.",
            hint=f"Set {name}=true again as soon as you can.",
            id="crm.W001",
        )
        for name, is_on in switches.items()
        if not is_on
    ]
