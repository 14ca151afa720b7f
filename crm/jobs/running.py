"""Which job runs in this thread."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from procrastinate import JobContext

_current_job_id: ContextVar[int | None] = ContextVar("current_job_id", default=None)


def current_job_id() -> int | None:
    """Return the id of the job that runs in this thread; None outside the worker."""
    return _current_job_id.get()


def job_label(name: str) -> str:
    """Return what the audit trail calls the job: its name, and its id when the worker runs it."""
    job_id = current_job_id()
    return name if job_id is None else f"{name} #{job_id}"


def remember_job(call_next: Callable[[], Any], context: JobContext, _worker: object) -> Any:
    """Run a job with its id at hand, as procrastinate's middleware."""
    token = _current_job_id.set(context.job.id)
    try:
        return call_next()
    finally:
        _current_job_id.reset(token)
