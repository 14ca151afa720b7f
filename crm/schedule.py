"""The table of periodic jobs."""

from typing import Any, NamedTuple, cast

from procrastinate import App
from procrastinate.tasks import Task

from crm.jobs import Job, delete_finished_jobs, rescue_stalled_jobs
from crm.mail.upkeep import forget_sent_mails
from security.jobs import delete_expired_blocks, watch_events


class Periodic(NamedTuple):
    """A job and when it runs: minute, hour, day of the month, month, day of the week, in UTC."""

    cron: str
    job: Job


SCHEDULE = (
    Periodic("* * * * *", rescue_stalled_jobs),
    Periodic("* * * * *", watch_events),
    Periodic("17 3 * * *", delete_finished_jobs),
    Periodic("27 3 * * *", forget_sent_mails),
    Periodic("37 3 * * *", delete_expired_blocks),
)


def register(app: App) -> None:
    """Have workers queue the periodic jobs. Each waits or runs once, however many workers."""
    for cron, job in SCHEDULE:
        app.periodic_registry.register_task(
            task=cast(Task[Any, Any, Any], job.task),
            cron=cron,
            periodic_id="",
            configure_kwargs={"lock": job.name, "queueing_lock": job.name},
        )
