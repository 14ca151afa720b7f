"""The role that owns the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from crm.db.backend.base import OWNER
from crm.db.connection import database_settings
from crm.env import env


@contextmanager
def as_owner(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Inside the block, this thread's connection `alias` belongs to the owner role.

    Same database, no time limit on a statement. For migrations and the flush of tests.
    """
    connection = connections[alias]
    application_settings = connection.settings_dict
    connection.close()
    connection.settings_dict = {
        **application_settings,
        **_owner_settings(),
        # A test database has another name than the one in the URL.
        "NAME": application_settings["NAME"],
    }
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = application_settings


def _owner_settings() -> dict[str, Any]:
    settings = database_settings(env.database_owner_url)
    # An index on a large table takes longer than any request may.
    settings["OPTIONS"].pop("options", None)
    settings["OPTIONS"]["application_name"] = OWNER
    return {name: settings[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}
