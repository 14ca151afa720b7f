"""The table of periodic jobs."""

from typing import Any, NamedTuple, cast

from procrastinate import App
from procrastinate.tasks import Task

from accounts import jobs as accounts
from crm.jobs import Job, delete_finished_jobs, rescue_stalled_jobs
from crm.mail.upkeep import forget_sent_mails
from security import jobs as security


class Periodic(NamedTuple):
    """A job and when it runs: minute, hour, day of the month, month, day of the week, in UTC."""

    cron: str
    job: Job


SCHEDULE = (
    Periodic("* * * * *", rescue_stalled_jobs),
    Periodic("* * * * *", security.watch_events),
    Periodic("* * * * *", accounts.tell_owners),
    Periodic("* * * * *", security.seal_audit_trail),
    Periodic("13 * * * *", security.warn_of_expiring_keys),
    Periodic("7 3 * * *", security.keep_event_partitions),
    Periodic("17 3 * * *", delete_finished_jobs),
    Periodic("27 3 * * *", forget_sent_mails),
    Periodic("37 3 * * *", security.delete_expired_blocks),
    Periodic("47 3 * * *", accounts.delete_old_sign_ins),
    Periodic("52 3 * * *", accounts.prune_devices),
    Periodic("57 3 * * *", security.delete_old_counts),
    # What retention takes is proved once more before it goes.
    Periodic("7 4 * * *", security.prove_audit_trail),
    Periodic("37 4 * * *", security.prune_audit_trail),
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
