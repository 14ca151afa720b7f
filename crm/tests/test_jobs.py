"""Jobs: queued by the transaction that commits, inside their team, safe against dead workers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app

from accounts.models import Membership
from clients.models import Client
from crm.db.tenancy import team_context
from crm.jobs import Job, TeamJob, delete_finished_jobs, job, rescue_stalled_jobs, team_job
from crm.jobs.declaration import TeamMissing
from crm.jobs.upkeep import MAX_ATTEMPTS
from crm.schedule import SCHEDULE
from crm.tests.job_queue import queued_jobs
from security.audit.models import AuditEntry
from tests.team_records import make_record

SEEN: list[object] = []


@job
def note(*, what: str) -> None:
    """Note what it was given."""
    SEEN.append(what)


@team_job
def rename_clients(*, team_id: UUID, name: str) -> None:
    """Rename every client that the job sees."""
    SEEN.append(Client.objects.for_team(team_id).update(first_name=name))
    SEEN.append(Client._base_manager.count())


@pytest.fixture(autouse=True)
def _forget() -> None:
    SEEN.clear()


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def stored(columns: str = "status") -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM procrastinate_jobs ORDER BY id")  # noqa: S608  A constant.
        rows: list[tuple[object, ...]] = cursor.fetchall()
        return rows


def begin(attempts: int = 0) -> None:
    """Leave the queued job as a worker does that died a moment after it began."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', attempts = %s", [attempts])


def test_queued_job_runs_with_its_arguments(run_jobs: Callable[[], list[str]]) -> None:
    note.queue(what="a")
    assert run_jobs() == ["crm.tests.test_jobs.note"]
    assert SEEN == ["a"]


@pytest.mark.usefixtures("db")
def test_job_of_a_transaction_that_fails_is_not_queued() -> None:
    with rolled_back():
        note.queue(what="a")
        assert queued_jobs() == [note.name]
    assert queued_jobs() == []


def test_arguments_that_do_not_fit_are_refused_at_once() -> None:
    with pytest.raises(TypeError):
        note.queue(which="a")


def test_team_job_writes_in_its_team_only_and_under_its_own_name(
    alice: Membership, mallory: Membership, run_jobs: Callable[[], list[str]]
) -> None:
    make_record(Client, alice)
    make_record(Client, mallory)
    rename_clients.queue(team_id=alice.team_id, name="Ann")
    run_jobs()
    assert SEEN == [1, 1]
    with team_context(alice.team_id):
        entry = AuditEntry.objects.for_team(alice.team_id).latest("id")
    assert (entry.action, entry.actor_kind) == ("update", "job")
    assert entry.actor_label.startswith(rename_clients.name)


@pytest.mark.usefixtures("db")
def test_team_job_without_a_team_fails() -> None:
    with pytest.raises(TeamMissing):
        rename_clients.queue(name="Ann")
    with pytest.raises(TeamMissing):
        rename_clients(name="Ann")


@pytest.mark.usefixtures("db")
def test_team_job_fails_when_the_team_is_gone() -> None:
    with pytest.raises(TeamMissing):
        rename_clients(team_id=uuid4(), name="Ann")
    assert SEEN == []


@pytest.mark.usefixtures("db")
def test_job_of_a_dead_worker_is_queued_again() -> None:
    note.queue(what="a")
    begin()
    rescue_stalled_jobs()
    assert stored("status, attempts") == [("todo", 1)]


@pytest.mark.usefixtures("db")
def test_job_that_keeps_killing_workers_is_left_failed() -> None:
    note.queue(what="a")
    begin(attempts=MAX_ATTEMPTS)
    rescue_stalled_jobs()
    assert stored("status") == [("failed",)]


@pytest.mark.usefixtures("db")
def test_job_of_a_living_worker_is_left_alone() -> None:
    note.queue(what="a")
    begin()
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH alive AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)"
            " UPDATE procrastinate_jobs SET worker_id = (SELECT id FROM alive)"
        )
    rescue_stalled_jobs()
    assert stored("status") == [("doing",)]


@pytest.mark.usefixtures("db")
def test_failed_jobs_go_after_their_time() -> None:
    note.queue(what="old")
    begin(attempts=MAX_ATTEMPTS)
    rescue_stalled_jobs()
    delete_finished_jobs()
    assert len(stored()) == 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - interval '31 days'")
    delete_finished_jobs()
    assert stored() == []


def test_every_periodic_job_is_known_to_the_queue_and_takes_no_arguments() -> None:
    assert len({periodic.job.name for periodic in SCHEDULE}) == len(SCHEDULE)
    for cron, periodic in SCHEDULE:
        assert app.tasks[periodic.name] is periodic.task
        assert (periodic.name, "") in app.periodic_registry.periodic_tasks, cron
        periodic.signature.bind()


def test_jobs_are_either_for_the_system_or_for_a_team() -> None:
    for name, task in app.tasks.items():
        if not name.startswith(("builtin:", "procrastinate.")):
            owner = getattr(task.func, "__self__", None)
            assert isinstance(owner, Job), name
            assert isinstance(owner, TeamJob) == ("team_id" in owner.signature.parameters), name
