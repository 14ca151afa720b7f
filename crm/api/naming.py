"""Names inside are snake_case, names outside camelCase."""

import re
from functools import lru_cache

_BOUNDARY = re.compile(r"_([a-z0-9])")


@lru_cache(maxsize=4096)
def camel_case(name: str) -> str:
    """Return `first_name` as `firstName`; a name that is camelCase stays."""
    return _BOUNDARY.sub(lambda match: match[1].upper(), name)
