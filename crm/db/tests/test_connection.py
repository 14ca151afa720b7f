"""Connection settings from a database URL."""

import pytest

from crm.db.connection import PREPARE_THRESHOLD, database_settings

URL = "postgresql://crm_app:secret@db.example/crm"


@pytest.mark.parametrize(
    ("query", "threshold"),
    [("", PREPARE_THRESHOLD), ("?prepare_threshold=9", 9), ("?prepare_threshold=0", None)],
)
def test_statements_are_prepared_unless_the_url_says_otherwise(
    query: str, threshold: int | None
) -> None:
    assert database_settings(URL + query)["OPTIONS"]["prepare_threshold"] == threshold


def test_a_url_does_not_lift_the_time_limit_of_statements() -> None:
    options = database_settings(URL + "?options=-c%20statement_timeout=0")["OPTIONS"]
    assert "-c statement_timeout=30000 " in options["options"]
    assert "statement_timeout=0" not in options["options"]
