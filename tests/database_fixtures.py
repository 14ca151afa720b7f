"""Fixtures that take the place of pytest-django's: the owner builds, the application role tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.operations import BaseDatabaseOperations
from pytest_django.plugin import DjangoDbBlocker

from crm.db.owner import as_owner
from crm.embedded_postgres.server import is_embedded
from crm.env import env

# The queue's tables are no models of Django's, so its flush leaves them: the jobs of one test would
# run in another.
_EMPTY_QUEUE = "TRUNCATE procrastinate_jobs, procrastinate_periodic_defers CASCADE"


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Create and migrate the test database as the owner; tests connect as the application role."""
    name = connection.settings_dict["NAME"]
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        # On a server that DATABASE_URL names, workers share the server but not the database.
        connection.settings_dict["TEST"]["NAME"] = f"test_{name}_{worker}"
    with django_db_blocker.unblock(), as_owner():
        test_name = connection.creation.create_test_db(
            verbosity=0, autoclobber=True, serialize=False
        )
    connection.settings_dict["NAME"] = test_name
    settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] = test_name
    with flushing_as_owner():
        yield
    if is_embedded(env.database_url, env.data_dir):
        return  # The whole server is thrown away.
    with django_db_blocker.unblock(), as_owner():
        connection.creation.destroy_test_db(name, verbosity=0)


@contextmanager
def flushing_as_owner() -> Iterator[None]:
    """Have the owner empty the tables after a `transaction=True` test: no one else may TRUNCATE."""
    operations_class = type(connection.ops)
    execute_sql_flush = operations_class.execute_sql_flush

    def execute_as_owner(operations: BaseDatabaseOperations, statements: list[str]) -> None:
        with as_owner():
            # The trail refuses TRUNCATE but through the door of retention.
            statements = ["SET LOCAL app.audit_door = 'prune'", *statements, _EMPTY_QUEUE]
            execute_sql_flush(operations, statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations_class, "execute_sql_flush", execute_as_owner)
        yield
