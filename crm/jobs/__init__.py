"""Background work: functions that are queued in PostgreSQL and run by the worker (procrastinate).

A job is inserted by the transaction that asks for it, so it runs if and only if that commits. A
worker that dies leaves its job to the next one: every job has to be safe to run twice.
"""

from crm.jobs.declaration import Job, TeamJob, job, team_job
from crm.jobs.upkeep import delete_finished_jobs, rescue_stalled_jobs

__all__ = [
    "Job",
    "TeamJob",
    "delete_finished_jobs",
    "job",
    "rescue_stalled_jobs",
    "team_job",
]
