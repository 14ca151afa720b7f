"""Logging to standard error: one line an event, no bodies, headers or query strings."""

import logging
from typing import Any

from crm.credential_shapes import without_credentials


class CarefulFormatter(logging.Formatter):
    """Takes credentials out of every line.

    SECURITY: people and programs put keys and tokens into paths by mistake, and a log is read by
    more people than may use them.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record without keys and tokens, its trace included."""
        return without_credentials(super().format(record))


class RequestIdFilter(logging.Filter):
    """Gives a record the id of the request that it is about, where Django names one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set `request_id` and keep the record."""
        record.request_id = getattr(getattr(record, "request", None), "request_id", "-")
        return True


class JobFilter(logging.Filter):
    """Names a job by its function and id.

    SECURITY: procrastinate names it with its arguments, which hold addresses of persons.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message of a record that is about a job, and keep the record."""
        job = getattr(record, "job", None)
        if job is not None:
            record.msg = "Job %s #%s: %s"
            record.args = (job["task_name"], job["id"], getattr(record, "action", ""))
        return True


def logging_settings() -> dict[str, Any]:
    """Return Django's LOGGING setting."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}, "job": {"()": JobFilter}},
        "formatters": {
            "line": {
                "()": CarefulFormatter,
                "format": "{asctime} {levelname} {name} {request_id} {message}",
                "style": "{",
            },
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["request_id"],
            },
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # Django propagates these to root; its own mail and console handlers are not wanted.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "axes": {"level": "ERROR"},
            "procrastinate": {"level": "ERROR"},
            "procrastinate.worker": {"filters": ["job"]},
            # Strangers send foreign hosts as they like; a trace for each would fill the log.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
