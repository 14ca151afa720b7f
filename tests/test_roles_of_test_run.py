"""The test run itself stands on the application role."""

import pytest
from django.db import connection


def current_role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_tests_run_as_the_application_role() -> None:
    assert current_role() == "crm_app"


@pytest.mark.django_db(transaction=True)
def test_transactional_tests_are_flushed_and_run_as_the_application_role() -> None:
    assert current_role() == "crm_app"
