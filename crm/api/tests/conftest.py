"""Routes, a table and a user of it for the tests of this package."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from crm.api.readiness import forget_readiness


@pytest.fixture
def client(settings: Settings) -> Client:
    settings.ROOT_URLCONF = "crm.api.tests.urls"
    return Client(raise_request_exception=False)


@pytest.fixture
def books(db: None) -> None:
    """Create the table of `Book`; it goes with the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE TEMPORARY TABLE test_book (
                id uuid PRIMARY KEY, title varchar(40) NOT NULL, kind varchar(10) NOT NULL,
                price numeric(8, 2), page_count integer NOT NULL, is_lent boolean NOT NULL,
                tags varchar(10)[] NOT NULL, created_at timestamptz NOT NULL
            ) ON COMMIT DROP
        """)


@pytest.fixture
def unread_readiness() -> Iterator[None]:
    forget_readiness()
    yield
    forget_readiness()
