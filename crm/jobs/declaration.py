"""Declaring jobs: `@job` for the whole system, `@team_job` for the rows of one team.

SECURITY: arguments lie readable in the queue until the job has run, so they hold ids and addresses
and never a secret. A mail with a token is made by a job that makes the token.
"""

import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Any, overload
from uuid import UUID

from django.db import connection
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from crm.db.tenancy import team_context
from crm.jobs.running import job_label

# Beside the first run: after 4, 16, 64, 256, 1024 and 4096 seconds, so for an hour and a half.
RETRIES = RetryStrategy(max_attempts=6, exponential_wait=4)

# Jobs are queued over Django's connection, whose transaction they belong to; a job that queues
# another one does so from the worker, whose app has a connection of its own.
QUEUE = JobManager(DjangoConnector())

Function = Callable[..., None]


class TeamMissing(LookupError):
    """The job names no team, or one that is gone: there is nothing that it may see."""


class Job:
    """A function and the way to queue it. Calling it runs it at once, as the worker does."""

    def __init__(self, function: Function, *, retry: bool) -> None:
        self.function = function
        self.signature = inspect.signature(function)
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.__doc__ = function.__doc__
        self.task = app.task(name=self.name, retry=RETRIES if retry else False)(self.run)

    def __call__(self, **arguments: Any) -> None:
        """Run the function in this process."""
        self.run(**arguments)

    def run(self, **arguments: Any) -> None:
        """Run the function; the worker calls this. The time of a periodic job is left out."""
        arguments.pop("timestamp", None)
        self.function(**arguments)

    def queue(self, **arguments: Any) -> None:
        """Queue one run in the current transaction; outside of one, at once.

        Arguments are JSON values. Raises TypeError for arguments that the function does not take.
        """
        self._defer(None, arguments)

    def queue_at(self, moment: datetime, /, **arguments: Any) -> None:
        """Queue one run for a moment, in the current transaction; as `queue` otherwise."""
        self._defer(moment, arguments)

    def _defer(self, moment: datetime | None, arguments: dict[str, Any]) -> None:
        self.signature.bind(**arguments)
        task = configure_task(
            name=self.name, job_manager=QUEUE, queue=self.task.queue, schedule_at=moment
        )
        task.defer(**arguments)


class TeamJob(Job):
    """A job that sees the rows of one team: its first argument is `team_id`.

    What it writes, the audit trail ascribes to the job.
    """

    def run(self, **arguments: Any) -> None:
        """Open the team and run the function inside. Raises TeamMissing."""
        arguments.pop("timestamp", None)
        if not arguments.get("team_id"):
            raise TeamMissing(f"{self.name} was queued without a team.")
        team_id = UUID(str(arguments.pop("team_id")))
        with team_context(team_id, actor_kind="job", actor_label=job_label(self.name)):
            _require_team(team_id)
            self.function(team_id=team_id, **arguments)

    def _defer(self, moment: datetime | None, arguments: dict[str, Any]) -> None:
        """Queue one run for `team_id`. Raises TeamMissing and what `Job.queue` raises."""
        if not arguments.get("team_id"):
            raise TeamMissing(f"{self.name} needs a team.")
        super()._defer(moment, {**arguments, "team_id": str(arguments["team_id"])})


@overload
def job(function: Function) -> Job: ...
@overload
def job(*, retry: bool = False) -> Callable[[Function], Job]: ...
def job(function: Function | None = None, *, retry: bool = False) -> Any:
    """Make a function a job. `retry` runs it again after an error, later and later."""
    if function is None:
        return lambda declared: Job(declared, retry=retry)
    return Job(function, retry=retry)


@overload
def team_job(function: Function) -> TeamJob: ...
@overload
def team_job(*, retry: bool = False) -> Callable[[Function], TeamJob]: ...
def team_job(function: Function | None = None, *, retry: bool = False) -> Any:
    """Make a function with a `team_id` a job that runs inside this team."""
    if function is None:
        return lambda declared: TeamJob(declared, retry=retry)
    return TeamJob(function, retry=retry)


def _require_team(team_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_team WHERE id = %s", [team_id])
        if cursor.fetchone() is None:
            raise TeamMissing(f"The team {team_id} does not exist.")
