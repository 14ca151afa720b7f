"""Fixture: the queue of jobs, worked off in the test."""

import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app

_TAKE = """
    DELETE FROM procrastinate_jobs WHERE id = (
        SELECT min(id) FROM procrastinate_jobs
         WHERE status = 'todo' AND coalesce(scheduled_at <= %s, true)
    ) RETURNING task_name, args
"""


@pytest.fixture
def run_jobs(db: None) -> Callable[[], list[str]]:
    """Run what is due, also what that queues, and return the jobs' names."""

    def run() -> list[str]:
        names = []
        while taken := _take():
            name, arguments = taken
            app.tasks[name].func(**arguments)
            names.append(name)
        return names

    return run


def queued_jobs() -> list[str]:
    """Return the names of the jobs that wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        return [name for (name,) in cursor.fetchall()]


def _take() -> tuple[str, dict[str, object]] | None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [timezone.now()])
        row = cursor.fetchone()
    if row is None:
        return None
    name, arguments = row
    return name, arguments if isinstance(arguments, dict) else json.loads(arguments)
