"""The queue's own upkeep: jobs of dead workers run again, old failures go."""

from django.db import connection

from crm.jobs.declaration import job

# The worker says every ten seconds that it lives.
STALLED_AFTER_SECONDS = 60
# A job that took its worker down this often is left failed.
MAX_ATTEMPTS = 8
FAILURES_KEPT_DAYS = 30

_RESCUE = """
    SELECT CASE WHEN stalled.attempts < %s
                THEN procrastinate_retry_job_v2(
                        stalled.id, now(), stalled.priority, stalled.queue_name, stalled.lock)
                ELSE procrastinate_finish_job_v1(stalled.id, 'failed', false)
           END
      FROM (SELECT j.* FROM procrastinate_jobs j
              LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
             WHERE j.status = 'doing'
               AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %s))
               FOR UPDATE OF j SKIP LOCKED) AS stalled
"""
_DELETE = """
    DELETE FROM procrastinate_jobs j
     WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
       AND NOT EXISTS (SELECT FROM procrastinate_events e
                        WHERE e.job_id = j.id AND e.at > now() - make_interval(days => %s))
"""


@job
def rescue_stalled_jobs() -> None:
    """Queue again what workers that died had begun."""
    with connection.cursor() as cursor:
        cursor.execute(_RESCUE, [MAX_ATTEMPTS, STALLED_AFTER_SECONDS])


@job
def delete_finished_jobs() -> None:
    """Delete jobs that ended long ago; those that succeeded went at their end."""
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [FAILURES_KEPT_DAYS])
