"""Logging to standard error: one line an event, no bodies, headers or query strings."""

from typing import Any


def logging_settings() -> dict[str, Any]:
    """Return Django's LOGGING setting."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # Django propagates these to root; its own mail and console handlers are not wanted.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "axes": {"level": "ERROR"},
        },
    }
